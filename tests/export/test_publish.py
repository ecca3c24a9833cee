"""Files of an export appear all or not at all, and exports that were killed leave nothing for long."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from facecli.errors import OutputError
from facecli.export.publish import FRESH, publish, staging

NAMES = ("a.report.json", "b.report.json", "a.onnx", "b.onnx")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def staged(place: Path) -> list[tuple[Path, str]]:
    for name in NAMES:
        (place / name).write_text(f"new {name}")
    return [(place / name, name) for name in NAMES]


@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
@pytest.mark.parametrize("fails_at", range(len(NAMES)))
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "ctrl-c"])
def test_a_failure_midway_leaves_what_was_there(tmp_path, monkeypatch, fails_at, error, links):
    before = {"a.report.json": "old report", "a.onnx": "old model", "mine.txt": "mine"}  # b was never there
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    original, calls = Path.replace, []

    def replace(self, target):
        calls.append(target)
        if len(calls) == fails_at + 1:
            raise error
        return original(self, target)

    def unknown(*_args, **_more):
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", unknown)
    with pytest.raises(type(error)), staging(tmp_path) as place:
        monkeypatch.setattr(Path, "replace", replace)
        publish([path for path, _ in staged(place)], tmp_path)
    assert len(calls) > fails_at
    assert contents(tmp_path) == before


def test_all_files_are_replaced(tmp_path):
    (tmp_path / "a.onnx").write_text("old")
    with staging(tmp_path) as place:
        publish([path for path, _ in staged(place)], tmp_path)
    assert contents(tmp_path) == {name: f"new {name}" for name in NAMES}


def test_an_export_whose_last_file_can_not_be_written_changes_nothing(small_recipe, tmp_path):
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    (tmp_path / "r.onnx").mkdir()
    (tmp_path / "p.onnx").write_text("mine")
    with pytest.raises(OutputError, match="can not write to"):
        export_recipe(ExportRequest(recipe=small_recipe()), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".weights") == ["p.onnx", "r.onnx"]
    assert (tmp_path / "p.onnx").read_text() == "mine"


def killed(folder: Path) -> Path:
    """The folder that a process leaves behind which dies in its middle."""
    code = (
        "import os, sys, signal; from pathlib import Path; from facecli.export.publish import staging\n"
        "with staging(Path(sys.argv[1])) as place:\n"
        "    (place / 'half.onnx').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = folder.glob(".facecli-export-*")
    return left


@pytest.mark.skipif(sys.platform == "win32", reason="has no kill -9")
def test_what_a_killed_export_leaves_is_removed_by_the_next(tmp_path):
    left = killed(tmp_path)
    with staging(tmp_path):
        assert left.is_dir()  # it may have been made just now, by somebody who is about to lock it
    os.utime(left / "lock", (0, (left / "lock").stat().st_mtime - FRESH - 1))
    with staging(tmp_path) as place:
        assert not left.exists()
        assert place.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_works_in_or_nobody_knows_stays(tmp_path):
    with staging(tmp_path) as place:
        os.utime(place.parent / "lock", (0, 0))
        strange = tmp_path / ".facecli-export-by-hand"
        strange.mkdir()
        (strange / "notes").write_text("mine")
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(place.parent, elsewhere)  # with a lock that nobody holds
        os.utime(elsewhere / "lock", (0, 0))
        (tmp_path / ".facecli-export-link").symlink_to(elsewhere)
        with staging(tmp_path):
            assert place.is_dir()
            assert (strange / "notes").is_file()
            assert elsewhere.is_dir()
