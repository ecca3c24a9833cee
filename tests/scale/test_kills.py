"""Workers and commands that are killed: no picture is lost, none is doubled, and one that kills becomes a row.

A detector of a made-up distribution takes its time, tells its process, and ends it where it is told to.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.scale.conftest import table

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")

DEADLY = """
import os, pathlib, signal, time
import numpy as np
from facecli.contract import DetectorPlugin, hookimpl
from facecli.types import Detections

class Deadly:
    def detect(self, images):
        told = pathlib.Path(os.environ["DEADLY_FOLDER"])
        (told / str(os.getpid())).touch()
        for image in images:
            time.sleep(0.05)
            if pathlib.Path(image.source).name in os.environ.get("DEADLY_NAMES", "").split():
                os.kill(os.getpid(), signal.SIGKILL)
        return [Detections(np.array([[0, 0, 9, 9]], np.float32), np.ones(1, np.float32)) for _ in images]

@hookimpl
def facecli_detectors():
    yield DetectorPlugin("deadly", "ends its process", lambda runtime, parameters: Deadly(), landmarks=False)
"""
ROWS = 24


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the distribution is installed."""
    return installed(tmp_path_factory.mktemp("site"), DEADLY)


def installed(place: Path, code: str) -> Path:
    """Install the detector `deadly` in a folder."""
    info = place / "deadly-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "deadly.py").write_text(code)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[facecli.detectors]\ndeadly = deadly\n")
    return place


@pytest.fixture
def deadly(site: Path, tmp_path: Path) -> dict[str, str]:
    """The environment in which the detector `deadly` is installed and tells its processes."""
    (tmp_path / "told").mkdir()
    return {"PYTHONPATH": str(site), "DEADLY_FOLDER": str(tmp_path / "told")}


@pytest.fixture(scope="module")
def undisturbed(pictures: Path, site: Path, run_cli_once: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed") / "out"
    env = {"PYTHONPATH": str(site), "DEADLY_FOLDER": str(folder.parent)}
    assert run_cli_once(*command(pictures, folder), env=env).returncode == 1  # two pictures are damaged
    return folder


def command(pictures: Path, folder: Path) -> tuple[str | Path, ...]:
    return ("detect", pictures, "-o", f"{folder}/", "--detector", "deadly", "--shard", "5", "--workers", "2")


@pytest.fixture
def job(pictures: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    return command(pictures, tmp_path / "out")


def rows(folder: Path) -> list[dict[str, object]]:
    """The rows of all pictures, without places in shards."""
    return [{name: value for name, value in row.items() if name != "picture"} for row in table(folder, "pictures")]


def until(holds: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait until something holds, or the process has ended."""
    while not holds() and process.poll() is None:
        time.sleep(0.02)


def shards(folder: Path) -> int:
    return len([*folder.glob("pictures/*.parquet")])


def workers(told: str) -> Iterator[int]:
    for path in Path(told).iterdir():
        yield int(path.name)


def kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("who", ["worker", "driver", "both"])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_whoever_is_killed_the_rows_are_those_of_an_undisturbed_run(
    start: Callable,
    run_cli: Callable,
    deadly: dict[str, str],
    job: tuple,
    undisturbed: Path,
    tmp_path: Path,
    who: str,
    place: int,
) -> None:
    """place: shards that are done when it happens, of five."""
    folder = tmp_path / "out"
    process = disturbed(start, deadly, job, folder, who, place)
    if who == "worker":
        assert process.returncode == 1  # two pictures are damaged; the workers were replaced
    run = run_cli(*job, env=deadly)
    assert run.returncode == 1, run.stderr
    as_undisturbed(folder, undisturbed)


def disturbed(
    start: Callable, deadly: dict[str, str], job: tuple, folder: Path, who: str, place: int
) -> subprocess.Popen[bytes]:
    """Run a job, kill whom it says when `place` shards are done, and return the process of the command, at its end."""
    told = deadly["DEADLY_FOLDER"]
    process: subprocess.Popen[bytes] = start(*job, env=deadly)
    until(lambda: shards(folder) >= place and [*workers(told)], process)
    for one in [*workers(told)] if who != "driver" else []:
        kill(one)
    if who != "worker":
        kill(process.pid)
    process.communicate()
    return process


def as_undisturbed(folder: Path, undisturbed: Path) -> None:
    """Assert that a folder has what that of an undisturbed job has."""
    assert len({row["source"] for row in rows(folder)}) == len(rows(folder)) == ROWS
    assert rows(folder) == rows(undisturbed)
    assert table(folder, "faces") == table(undisturbed, "faces")
    assert not [*folder.glob("trouble/*")]


def test_a_picture_that_kills_its_worker_becomes_a_row(
    run_cli: Callable, deadly: dict[str, str], job: tuple, tmp_path: Path
) -> None:
    run = run_cli(*job, env=deadly | {"DEADLY_NAMES": "03.jpg 12.jpg 13.jpg"})
    assert run.returncode == 1
    assert any("killed by signal 9" in line for line in run.errors)
    found = {str(row["source"])[-6:]: row["error_code"] for row in rows(tmp_path / "out")}
    assert len(found) == ROWS
    assert {name for name, code in found.items() if code == "crashed"} == {"03.jpg", "12.jpg", "13.jpg"}
    assert json.loads((tmp_path / "out/done.json").read_bytes())["errors"] == {"crashed": 3, "decode": 2}
    assert run_cli(*job, "--retry-failed", env=deadly).returncode == 1  # it kills no more
    assert [row["error_code"] for row in rows(tmp_path / "out")] == [None] * 22 + ["decode"] * 2


def test_notes_about_a_picture_outlive_the_command(
    start: Callable, run_cli: Callable, deadly: dict[str, str], job: tuple, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    killing = deadly | {"DEADLY_NAMES": "03.jpg"}
    process = start(*job, env=killing)
    until(lambda: [*folder.glob("trouble/*.json")], process)
    kill(process.pid)
    process.communicate()
    assert run_cli(*job, env=killing).returncode == 1
    assert len(rows(folder)) == ROWS
    assert [str(row["source"])[-6:] for row in rows(folder) if row["error_code"] == "crashed"] == ["03.jpg"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_after_the_shards_at_work(
    start: Callable, run_cli: Callable, deadly: dict[str, str], job: tuple, tmp_path: Path, number: int
) -> None:
    folder = tmp_path / "out"
    process = start(*job, env=deadly)
    until(lambda: [*workers(deadly["DEADLY_FOLDER"])], process)
    os.killpg(process.pid, number)  # all processes, as a terminal and a service's manager do
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert b"the same command goes on" in stderr
    assert 1 <= shards(folder) < 5
    assert not (folder / "done.json").exists()
    assert run_cli(*job, env=deadly).returncode == 1
    assert len(rows(folder)) == ROWS


def test_workers_that_do_nothing_but_die_end_the_run(
    run_cli: Callable, deadly: dict[str, str], job: tuple, tmp_path: Path
) -> None:
    ending = "def end(*_):\n    os.kill(os.getpid(), signal.SIGKILL)\n\nclass Deadly"
    code = DEADLY.replace("lambda runtime, parameters: Deadly()", "end").replace("class Deadly", ending)
    place = installed(tmp_path / "site", code)
    run = run_cli(*job, env=deadly | {"PYTHONPATH": str(place)})
    assert run.returncode == 4
    assert "workers died before a picture was done: killed by signal 9" in run.errors[-1]
