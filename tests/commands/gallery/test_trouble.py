"""A disk that is full, and a clock that goes back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

SMALL = """mount -t tmpfs -o size="$1" none "$2" || exit 99
shift 2
for command; do sh -c "$command" || code=$?; done
exit $code"""
PAST = """
import datetime, runpy, time
class Past(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2001, 1, 1, tzinfo=tz)
datetime.datetime, time.time = Past, lambda: 978307200.0
runpy.run_module("facecli", run_name="__main__", alter_sys=True)
"""
# A gallery whose cache has no room.
CACHE = """
import sys
from pathlib import Path
import numpy as np
from facecli.gallery.nearest import nearest
from facecli.gallery.space import Space
from facecli.gallery.store import cache
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore
folder = Path(sys.argv[1])
store, rows = GalleryStore(folder / "staff.db", create=True), np.eye(64, dtype=np.float32)
with store.database.transaction():
    for number, row in enumerate(np.concatenate([rows, -rows])):
        face = NewFace(bytes([number]) * 32, f"{number}.jpg", 9, 9, None, None, None, row)
        store.insert(f"person {number}", face, Space({"recognizer": "own"}, 64), "enroll")
filler = (folder / "filler").open("wb", buffering=0)
try:
    while True:
        filler.write(bytes(4096))
except OSError:
    filler.truncate(filler.tell() - 16384)
index = cache.open_index(store, least=1)
print(nearest(rows[5:6], index, 1), cache.files(store.path))
"""


@pytest.fixture
def small_disk(cli_env: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs shell commands beside a folder `small` that holds so much, one after the other; it is gone afterwards."""
    (tmp_path / "small").mkdir()

    def run(size: str, *commands: str) -> subprocess.CompletedProcess[str]:
        try:  # a name space of its own, in which a user may mount a disk that lies in memory
            done = subprocess.run(
                ["unshare", "-rm", "sh", "-c", SMALL, "sh", size, "small", *commands],
                capture_output=True, text=True, env=cli_env, cwd=tmp_path, check=False, timeout=280,
            )  # fmt: skip
        except FileNotFoundError:
            pytest.skip("needs unshare, of Linux")
        if done.returncode == 99 or done.stderr.startswith("unshare:"):
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
        return done

    return run


def test_full_disk_keeps_what_was_told(small_disk, examples: Path, tmp_path: Path) -> None:
    picture = cv2.resize(cv2.imread(str(examples / "collins.jpg")), (240, 240), interpolation=cv2.INTER_AREA)
    content = cv2.imencode(".jpg", picture)[1].tobytes()
    (tmp_path / "people" / "Eileen").mkdir(parents=True)
    for number in range(20):
        (tmp_path / "people" / "Eileen" / f"{number}.jpg").write_bytes(
            content + bytes([number])
        )  # after the JPEG's end
    facecli = f"{sys.executable} -m facecli"
    done = small_disk(
        "400k",
        f"{facecli} enroll people --gallery small/staff.db --format jsonl",
        f"{facecli} gallery verify --gallery small/staff.db --json | head -c 20000 >&2",
        f"{facecli} gallery show Eileen --gallery small/staff.db --json >&2",
    )
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    told = {line["source"] for line in lines if line.get("status") == "added"}
    assert 0 < len(told) < 20
    assert lines[-1]["error"]["code"] == "gallery"
    assert "no space left" in done.stderr
    assert '"sound": true,' in done.stderr
    assert all(source in done.stderr for source in told)


def test_cache_that_finds_no_room_is_done_without(small_disk) -> None:
    done = small_disk("1m", f"{sys.executable} -c '{CACHE}' small")
    assert (done.returncode, done.stdout) == (0, "[([5], [0.0])] []\n"), done.stderr


def test_clock_that_goes_back(run_cli: Callable, cli_env: dict[str, str], staff: tuple[str, str]) -> None:
    def names() -> list[str]:
        return [one["person"] for one in run_cli("gallery", "list", *staff, "--json").json["people"]]

    def in_the_past(*arguments: str) -> None:
        command = [sys.executable, "-c", PAST, *arguments, *staff]
        subprocess.run(command, check=True, env=cli_env, stdout=subprocess.DEVNULL, timeout=120)

    assert run_cli("gallery", "rename", "Grace", "Ada", *staff).returncode == 0
    in_the_past("gallery", "rename", "Ada", "Emmy")
    assert names() == ["Eileen", "Emmy"]
    in_the_past("gallery", "undo")
    assert names() == ["Ada", "Eileen"]
    assert run_cli("gallery", "undo", *staff).returncode == 0
    assert names() == ["Eileen", "Grace"]
