"""What input may cost, through the real command line: memory of the whole process, and work that has an end."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of a child's memory, in Linux's unit")
GIGABYTE = 2**30


def gif(side: int) -> bytes:
    """A GIF of one pixel on a square canvas."""
    screen = b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    return screen + b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0" + b"\x02\x02\x44\x01\0" + b";"


# Runs a command; prints its exit code and its peak in KB. The peak of a direct child would count the tests' own memory:
# Linux hands it on from whoever starts a program.
LAUNCHER = """
import os, sys
child = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
_, status, usage = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=open("peak", "w"))
"""


@pytest.fixture
def measured(cli_env: dict[str, str], tmp_path: Path) -> Callable[..., tuple[int, int]]:
    """Run `facecli ARGS...` in tmp_path; return its exit code and the most bytes that it had in memory."""

    def run(*words: str | Path, env: dict[str, str] | None = None) -> tuple[int, int]:
        command = [sys.executable, "-c", LAUNCHER, "-m", "facecli", *words]
        with (tmp_path / "stdout").open("wb") as out:
            subprocess.run(command, stdout=out, env=cli_env | (env or {}), cwd=tmp_path, check=True)
        code, peak = map(int, (tmp_path / "peak").read_text().split())
        return code, peak * 1024

    return run


def test_the_largest_pictures_share_a_gigabyte(measured: Any, tmp_path: Path) -> None:
    """Three of the largest that the limits allow, of 43 bytes each, in jobs and batches."""
    names = [f"{number}.gif" for number in range(3)]
    for name in names:
        (tmp_path / name).write_bytes(gif(10_000))
    for more in (("--jobs", "3"), ("--jobs", "1", "--batch-size", "3")):
        code, peak = measured("embed", *names, *more, "--json")
        assert code == 0  # no face, which is no failure and keeps no picture in memory
        assert peak < GIGABYTE


@pytest.mark.parametrize("detector", ["mtcnn", "haar"])
def test_cascades_share_it_too(measured: Any, tmp_path: Path, detector: str) -> None:
    names = [f"{number}.png" for number in range(3)]
    for name in names:
        Pil.new("RGB", (7000, 7000), (90, 120, 60)).save(tmp_path / name, compress_level=1)
    code, peak = measured("detect", *names, "--detector", detector, "--jobs", "3", "--json")
    assert code == 0
    assert peak < GIGABYTE


@pytest.mark.parametrize("size", [(1_000_000, 1), (1, 1_000_000)])
def test_a_line_of_a_million_pixels_is_a_crop_like_any_other(
    measured: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    Pil.new("RGB", size).save(tmp_path / "line.png")
    for recognizer in ("sface", "dlib-resnet"):
        code, peak = measured("embed", "line.png", "--no-detect", "--recognizer", recognizer, "-q", "--json")
        assert code == 0
        assert peak < GIGABYTE // 2


def test_metadata_does_not_fill_the_memory(measured: Any, tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for number in range(60):
        info.add_text(f"x{number}", "\0" * 7_000_000, zip=True)  # 0.4 GB
    Pil.new("RGB", (64, 64)).save(tmp_path / "texts.png", pnginfo=info)
    code, peak = measured("detect", "texts.png", "--json")
    assert code == 0
    assert peak < GIGABYTE // 4


def test_a_crowd_is_looked_at_in_parts(measured: Any, examples: Path, tmp_path: Path) -> None:
    face = Pil.open(examples / "hopper.jpg").convert("RGB").crop((120, 60, 330, 320)).resize((40, 50))
    crowd = np.tile(np.asarray(face), (40, 50, 1))  # 2000 faces
    Pil.fromarray(crowd).save(tmp_path / "crowd.png")
    words = ("embed", "crowd.png", "--detector", "mtcnn", "--recognizer", "dlib-resnet", "-f", "csv")
    code, peak = measured(*words)
    assert code == 0
    assert len((tmp_path / "stdout").read_bytes().splitlines()) > 1000
    assert peak < GIGABYTE


DEVICES: Sequence[tuple[str | Path, ...]] = (
    ("evaluate-detection", "--root", ".", "--ground-truth", "/dev/zero"),
    ("models", "import-bundle", "/dev/zero"),
    ("models", "add", "/dev/zero", "--name", "x", "--kind", "recognizer"),
    ("evaluate", "/dev/zero"),
    ("calibrate", "/dev/zero", "--name", "x"),
    ("export", "dlib-resnet", "--weights", "/dev/zero"),
    ("compare", "/dev/zero", "/dev/zero"),
    ("gallery", "import", "/dev/zero", "--gallery", "gallery.db"),
    ("detect", "--files-from", "/dev/zero"),
    ("detect", "--files-from0", "/dev/zero"),
    ("detect", "/dev/zero", "--max-bytes", "100000000"),
)


@pytest.mark.parametrize("words", DEVICES, ids=lambda words: "-".join(words[:2]))
def test_a_device_is_no_file(measured: Any, words: Sequence[str], request: pytest.FixtureRequest) -> None:
    if words[0] == "export":
        request.getfixturevalue("torch")
    code, peak = measured(*words, "--json")
    assert code in (1, 2)
    assert peak < 3 * GIGABYTE // 4 if words[0] == "export" else peak < GIGABYTE // 2


# Names and numbers in errors


def test_an_error_is_a_line_that_can_be_read(run_cli: Any, examples: Path) -> None:
    long = "x" * 70_000
    for words in (
        ("detect", long),
        ("detect", examples / "hopper.jpg", "--detector", long),
        ("detect", f"data:image/jpeg;base64,{long}"),
        ("models", "pull", long),
        ("verify", examples / "hopper.jpg", examples / "hopper.jpg", "--metric", long),
        (long,),
    ):
        run = run_cli(*words)
        (line,) = run.errors
        assert len(line) < 2000
        assert "; " in line  # what to do next
        run = run_cli(*words, "--json")
        assert "x" * 1000 not in run.json.get("error", {"message": ""})["message"] if run.json.get("error") else True


def test_further_frames_are_told(run_cli: Any, tmp_path: Path) -> None:
    frames = [Pil.new("RGB", (60, 40), (colour, 9, 9)) for colour in (10, 99, 200)]
    for kind in ("gif", "png", "webp", "tiff"):
        frames[0].save(tmp_path / f"x.{kind}", save_all=True, append_images=frames[1:])
    run = run_cli("detect", *sorted(path.name for path in tmp_path.iterdir()), "--json", cwd=tmp_path)
    lines = [
        f"facecli: x.{kind} has 3 frames or pages; the first is looked at" for kind in ("gif", "png", "tiff", "webp")
    ]
    assert run.errors == lines
    assert run_cli("detect", "x.gif", "-q", cwd=tmp_path).errors == []
