"""What tests of jobs need: small pictures, a job's command, and its tables."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.conftest import Run

parquet = pytest.importorskip("pyarrow.parquet", reason="a job writes Parquet: pyarrow is not installed")


@pytest.fixture(scope="session")
def pictures(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 24 small pictures that all differ, the last two of which are damaged."""
    folder = tmp_path_factory.mktemp("pictures")
    portraits = [cv2.imread(str(examples / name)) for name in ("hopper.jpg", "collins.jpg")]
    for number in range(22):
        pixels = cv2.resize(np.asarray(portraits[number % 2]), (200 + 4 * number, 240 + 4 * number))
        cv2.imwrite(str(folder / f"{number:02}.jpg"), pixels)
    (folder / "22.jpg").write_bytes(b"no picture")
    (folder / "23.jpg").write_bytes((folder / "00.jpg").read_bytes()[:500])
    return folder


def table(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The rows of all shards, shard after shard. kind: faces or pictures."""
    files = sorted((folder / kind).glob("*.parquet"))
    return [row for file in files for row in parquet.read_table(file).to_pylist()]


@pytest.fixture
def start(cli_env: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start `facecli ARGS...`, in a group of processes of its own, without waiting for it."""

    def start(*args: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "facecli", *map(str, args)]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        own = {"cwd": tmp_path, "start_new_session": True}
        return subprocess.Popen(command, env=cli_env | (env or {}), **own, **streams)  # type: ignore[call-overload,no-any-return]

    return start


@pytest.fixture(scope="session")
def run_cli_once(cli_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Run `facecli ARGS...` for a fixture that several tests share."""
    empty = tmp_path_factory.mktemp("cwd")

    def run(*args: str | Path, env: dict[str, str] | None = None) -> Run:
        command, all_of_it = [sys.executable, "-m", "facecli", *map(str, args)], cli_env | (env or {})
        done = subprocess.run(command, capture_output=True, timeout=120, check=False, env=all_of_it, cwd=empty)
        return Run(done.args, done.returncode, done.stdout, done.stderr)

    return run
