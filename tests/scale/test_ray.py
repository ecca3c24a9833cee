"""The engine `ray`, for real: a cluster of this machine, made for a job and gone with it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.scale.conftest import table
from tests.scale.test_kills import as_undisturbed, command, deadly, disturbed, site, undisturbed  # noqa: F401 # fixtures

pytest.importorskip("ray", reason="the engine ray needs facecli[ray]")
PATIENCE = 600  # seconds for a command: a cluster takes long to start beside other work
RAY = ("--engine", "ray", "--engine-option", "ray.cpus=0.5")


def ended(start: Callable, *args: str | Path, env: dict[str, str] | None = None) -> Run:
    """Run a command to its end."""
    process = start(*args, env=env)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return Run(process.args, process.returncode, stdout, stderr)


def test_rows_are_those_of_the_engine_local(
    start: Callable,
    deadly: dict[str, str],  # noqa: F811
    undisturbed: Path,  # noqa: F811
    pictures: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "out"
    run = ended(start, *command(pictures, folder), *RAY, env=deadly)
    assert run.returncode == 1, run.stderr
    assert all(line.startswith("facecli: ") for line in run.errors)
    for kind in ("faces", "pictures"):
        assert table(folder, kind) == table(undisturbed, kind)


@pytest.mark.parametrize("who", ["worker", "driver", "both"])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_whoever_is_killed_the_rows_are_those_of_an_undisturbed_run(
    start: Callable,
    deadly: dict[str, str],  # noqa: F811
    undisturbed: Path,  # noqa: F811
    pictures: Path,
    tmp_path: Path,
    who: str,
    place: int,
) -> None:
    """Actors that are killed are replaced; with the command its cluster ends, and the same command goes on."""
    folder = tmp_path / "out"
    job = (*command(pictures, folder), *RAY)
    if who == "worker":
        assert disturbed(start, deadly, job, folder, who, place).returncode == 1  # two pictures are damaged
    else:
        assert disturbed(start, deadly, job, folder, who, place).returncode == -signal.SIGKILL
        assert not (folder / "done.json").exists()
        run = ended(start, *job, env=deadly)
        assert run.returncode == 1, run.stderr
    as_undisturbed(folder, undisturbed)


def test_a_picture_that_kills_its_actor_becomes_a_row(
    start: Callable,
    deadly: dict[str, str],  # noqa: F811
    pictures: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "out"
    run = ended(start, *command(pictures, folder), *RAY, env=deadly | {"DEADLY_NAMES": "03.jpg"})
    assert run.returncode == 1, run.stderr
    assert json.loads((folder / "done.json").read_bytes())["errors"] == {"crashed": 1, "decode": 2}


def test_a_cluster_that_is_not_there_is_told(start: Callable, pictures: Path, tmp_path: Path) -> None:
    at = "ray.address=127.0.0.1:1"
    run = ended(start, *command(pictures, tmp_path / "out")[:4], "--engine", "ray", "--engine-option", at)
    assert run.returncode == 4
    assert "can not join the Ray cluster at 127.0.0.1:1" in run.errors[-1]


def test_actors_that_find_no_room_are_told(start: Callable, pictures: Path, tmp_path: Path) -> None:
    """Ray itself would wait for ever."""
    options = ("--engine-option", "ray.gpus=1000", "--engine-option", "ray.patience=3")
    run = ended(start, *command(pictures, tmp_path / "out")[:4], "--engine", "ray", *options)
    assert run.returncode == 4
    assert "no worker has started in 3 seconds" in run.errors[-1]
