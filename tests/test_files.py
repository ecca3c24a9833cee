from __future__ import annotations

import os
from pathlib import Path

import pytest

from facecli.errors import OutputError
from facecli.files import staged, write_bytes


def test_a_file_appears_whole_with_ordinary_permissions(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    write_bytes(target, b"x" * 10)
    assert target.read_bytes() == b"x" * 10
    mask = os.umask(0)
    os.umask(mask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~mask
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
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


def test_what_the_file_system_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"can not write .*file.a"):
        write_bytes(tmp_path / "file" / "a", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="can not write"):
        write_bytes(tmp_path / "folder", b"")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}
