"""Names from lists and from stdin: lines or NUL bytes, as they arrive, and lists that break off."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from facecli.errors import InputError, UsageError
from facecli.pictures.listing import expand
from facecli.pictures.sources import Source
from facecli.types import Limits

LIMITS = Limits()


def names(*inputs: str | Path, **lists: str) -> list[str]:
    return [source.name for source in expand([str(name) for name in inputs], **lists)]


def only(*inputs: str | Path) -> Source:
    (source,) = expand([str(name) for name in inputs])
    return source


def test_a_list_without_end_is_refused(tree: Path) -> None:
    *_, source = expand([str(tree / "b.jpg")], files_from="/dev/zero")
    with pytest.raises(InputError, match="a name of more than 65536 bytes"):
        source.read(LIMITS)


@pytest.mark.parametrize("which", ["files_from", "files_from0"])
def test_a_list_of_nothing_is_refused(tree: Path, tmp_path: Path, which: str) -> None:
    end = b"\n" if which == "files_from" else b"\0"
    picture = os.fsencode(tree / "b.jpg")
    listing = tmp_path / "list"
    listing.write_bytes(picture + end * 60_000 + picture + end)
    assert len(names(**{which: str(listing)})) == 2
    listing.write_bytes(picture + end * 10**6 + picture)
    _, source = expand([], **{which: str(listing)})  # and not the name behind them
    with pytest.raises(InputError, match="65537 empty names in a row; is it a list of names"):
        source.read(LIMITS)


def test_a_list_from_windows_has_its_first_name(tree: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_bytes("\ufeff".encode() + os.fsencode(tree / "b.jpg") + b"\r\n")
    assert names(files_from=str(listing)) == [str(tree / "b.jpg")]
    listing.write_text("b.jpg\n", "utf-16")
    (source,) = expand([], files_from=str(listing))
    with pytest.raises(InputError, match="the list is UTF-16, which is not read; save it as UTF-8"):
        source.read(LIMITS)


def test_a_long_name_is_refused_wherever_it_stands(tree: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_bytes(os.fsencode(tree / "b.jpg") + b"\n" + b"x" * 70_000 + b"\nlast.jpg\n")
    good, bad = expand([], files_from=str(listing))
    assert good.read(LIMITS) == b"b.jpg"
    with pytest.raises(InputError, match="a name of more than"):
        bad.read(LIMITS)


def test_a_list_that_breaks_off_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with io.TextIOWrapper(io.BufferedReader(Unreadable())) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(InputError, match="can not read stdin: is a directory"):
            only("-").read(LIMITS)
        (source,) = expand([], files_from="-")
        with pytest.raises(InputError, match="can not read the list: is a directory"):
            source.read(LIMITS)


class Unreadable(io.RawIOBase):
    """A stdin that is a folder."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object) -> int:
        raise IsADirectoryError(21, "Is a directory")


def test_a_pattern_with_a_nul_is_no_crash(tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_bytes(b"a\0b/*.jpg\n")
    (source,) = expand([], files_from=str(listing))
    with pytest.raises(InputError, match="null byte"):
        source.read(LIMITS)


def test_files_from_takes_lines_and_skips_empty_ones(tree: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_bytes(f"{tree}/b.jpg\n\n{tree}/sub\r\nhttp://a/b.jpg\n-\n{tree}/a.PNG".encode() + b"\xff")
    found = names(tree / "notes.txt", files_from=str(listing))
    assert found[:-2] == [f"{tree}/{n}" for n in ("notes.txt", "b.jpg", "sub/c.webp", "sub/deep/d.tiff")] + [
        "http://a/b.jpg"
    ]
    assert [os.fsencode(name) for name in found[-2:]] == [b"-", f"{tree}/a.PNG".encode() + b"\xff"]


def test_files_from0_keeps_line_breaks_in_names(tree: Path, tmp_path: Path) -> None:
    odd = tree / "two\nlines.jpg"
    odd.write_bytes(b"odd")
    listing = tmp_path / "list"
    listing.write_bytes(os.fsencode(odd) + b"\0" + os.fsencode(tree / "b.jpg") + b"\0")
    assert [source.read(LIMITS) for source in expand([], files_from0=str(listing))] == [b"odd", b"b.jpg"]


def test_a_list_on_stdin_is_followed_as_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "wb", buffering=0) as feed:
        monkeypatch.setattr(sys, "stdin", stdin)
        found = expand([], files_from="-")
        feed.write(b"first.jpg\nsecond")
        assert next(found).name == "first.jpg"
        feed.write(b".jpg\n")
        assert next(found).name == "second.jpg"
        feed.close()
        assert list(found) == []


def test_a_list_that_can_not_be_opened_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"can not read the list .*nowhere: no such file"):
        expand(["a.jpg"], files_from=str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="is a directory"):
        expand(["a.jpg"], files_from0=str(tmp_path))


def test_requests_without_sense() -> None:
    with pytest.raises(UsageError, match="no input was named"):
        expand([])
    for inputs, lists in (
        (["-", "a", "-"], {}),
        (["-"], {"files_from": "-"}),
        ([], {"files_from": "-", "files_from0": "-"}),
    ):
        with pytest.raises(UsageError, match="stdin can be read only once"):
            expand(inputs, **lists)
