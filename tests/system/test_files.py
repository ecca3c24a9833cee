"""Files that are written whole or not at all, and what the file system refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facecli.errors import OutputError
from facecli.system.files import check_writable, make_folder, staged, write_bytes


def test_a_file_appears_whole_with_ordinary_permissions(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    write_bytes(target, b"x" * 10)
    assert target.read_bytes() == b"x" * 10
    mask = os.umask(0)
    os.umask(mask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~mask
    assert list(target.parent.iterdir()) == [target]


def test_what_a_kill_leaves_has_no_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads `*.parquet` of a job's folder must not meet a shard that was never finished."""
    seen: list[str] = []
    monkeypatch.setattr(Path, "replace", lambda self, _: seen.append(self.suffix))
    write_bytes(tmp_path / "00000.parquet", b"x")
    with staged(tmp_path / "a.png"):
        pass
    assert seen == ["", ".png"]  # the second is for writers that choose a format by the suffix


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def write_half() -> None:
        with staged(target) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_refusal_of_the_file_system_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"can not write .*file.a"):
        write_bytes(tmp_path / "file" / "a", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="can not write"):
        write_bytes(tmp_path / "folder", b"")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


def test_the_folder_of_an_output_is_not_made_up(tmp_path: Path) -> None:
    for write in (lambda path: write_bytes(path, b"", parents=False), check_writable):
        with pytest.raises(OutputError, match=r"can not write .*there is no folder .*typo"):
            write(tmp_path / "typo" / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_checked_without_a_trace(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="it is a folder"):
        check_writable(tmp_path)


def test_a_folder_is_made_one_level_deep(tmp_path: Path) -> None:
    make_folder(tmp_path / "a")
    make_folder(tmp_path / "a")
    with pytest.raises(OutputError, match="there is no folder"):
        make_folder(tmp_path / "b" / "c")


def test_an_error_without_words_of_the_system_keeps_its_own(tmp_path: Path) -> None:
    def write() -> None:
        with staged(tmp_path / "a"):
            raise OSError("10 requested and 3 written")

    with pytest.raises(OutputError, match="a: 10 requested and 3 written"):
        write()


def test_the_umask_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "umask", None)
    write_bytes(tmp_path / "a", b"")
