"""Reading one picture: a file, a pipe or stdin, within limits."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from facecli.errors import InputError
from facecli.pictures.listing import expand
from facecli.pictures.sources import single
from facecli.types import Limits

LIMITS = Limits()


def lock(path: Path) -> None:
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.jpg", "no such file or directory"),
        ("x/\0.jpg", "embedded null byte"),
        ("n" * 300, "file name too long"),
        ("", "no such file or directory"),
    ],
)
def test_a_file_that_can_not_be_opened_is_an_error(name: str, words: str) -> None:
    for source in (single(name), *expand([name])):
        with pytest.raises(InputError, match=f"^can not read {name}: {words}"):
            source.read(LIMITS)


def test_a_folder_where_a_file_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"x")
    source = single(str(file))
    file.unlink()
    file.mkdir()
    with pytest.raises(InputError, match="is a directory"):
        source.read(LIMITS)


def test_permission_denied(tree: Path) -> None:
    lock(tree / "b.jpg")
    with pytest.raises(InputError, match="permission denied"):
        single(str(tree / "b.jpg")).read(LIMITS)


def test_max_bytes(tree: Path) -> None:
    assert single(str(tree / "b.jpg")).read(Limits(max_bytes=5)) == b"b.jpg"
    with pytest.raises(InputError, match="too large: more than 4 bytes; raise max_bytes"):
        single(str(tree / "b.jpg")).read(Limits(max_bytes=4))


def test_an_endless_device_stops_at_the_limit() -> None:
    with pytest.raises(InputError, match="too large"):
        single("/dev/zero").read(Limits(max_bytes=3_000_000))


def test_a_pipe_with_a_name(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = os.urandom(200_000)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert single(str(pipe)).read(LIMITS) == content
    writer.join()


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"picture")))
    source = single("-")
    assert source.name == "-"
    assert source.read(LIMITS) == b"picture"


def test_stdin_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(100))))
    with pytest.raises(InputError, match="- is too large"):
        single("-").read(Limits(max_bytes=99))


def test_closed_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="stdin is closed"):
        single("-").read(LIMITS)
