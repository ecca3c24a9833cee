"""Where pictures come from: what a name stands for, and what reading it may cost."""

from __future__ import annotations

import io
import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from facecli import __version__
from facecli.errors import FetchError, InputError, UsageError
from facecli.pictures.listing import expand
from facecli.pictures.sources import Source
from facecli.types import Limits

LIMITS = Limits()


def names(*inputs: str | Path, **lists: str) -> list[str]:
    return [source.name for source in expand([str(name) for name in inputs], **lists)]


def only(*inputs: str | Path) -> Source:
    (source,) = expand([str(name) for name in inputs])
    return source


def lock(path: Path) -> None:
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.jpg",
        "a.PNG",
        "notes.txt",
        ".hidden.jpg",
        "sub/c.webp",
        "sub/deep/d.tiff",
        ".git/e.jpg",
        "no/f.txt",
    ):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "tree"


# What names stand for


def test_a_file_is_itself_whatever_its_suffix(tree: Path) -> None:
    source = only(tree / "notes.txt")
    assert source.name == str(tree / "notes.txt")
    assert source.read(LIMITS) == b"notes.txt"


def test_a_folder_is_its_pictures_sorted_without_hidden_ones(tree: Path) -> None:
    assert names(tree) == [str(tree / name) for name in ("a.PNG", "b.jpg", "sub/c.webp", "sub/deep/d.tiff")]


def test_inputs_keep_their_order(tree: Path) -> None:
    assert names(tree / "sub", tree / "b.jpg", tree / "sub" / "deep")[2:] == [
        str(tree / "b.jpg"),
        str(tree / "sub/deep/d.tiff"),
    ]


def test_links_that_go_in_circles_do_no_harm(tree: Path) -> None:
    (tree / "sub" / "up").symlink_to(tree, target_is_directory=True)
    (tree / "sub" / "self.jpg").symlink_to(tree / "sub" / "self.jpg")
    (tree / "link.jpg").symlink_to(tree / "b.jpg")
    found = {source.name: source for source in expand([str(tree)])}
    assert set(found) == {
        str(tree / name) for name in ("a.PNG", "b.jpg", "link.jpg", "sub/c.webp", "sub/deep/d.tiff", "sub/self.jpg")
    }
    assert found[str(tree / "link.jpg")].read(LIMITS) == b"b.jpg"
    with pytest.raises(InputError, match="too many levels of symbolic links"):
        found[str(tree / "sub/self.jpg")].read(LIMITS)


def test_a_link_to_a_folder_is_followed_when_it_is_named(tree: Path) -> None:
    (tree / "link").symlink_to(tree / "sub" / "deep", target_is_directory=True)
    assert names(tree / "link") == [str(tree / "link" / "d.tiff")]


def test_a_folder_without_pictures_fails_when_it_is_read(tree: Path) -> None:
    source = only(tree / "no")
    with pytest.raises(InputError, match="no pictures in the folder"):
        source.read(LIMITS)


def test_a_locked_folder_inside_is_told(tree: Path) -> None:
    lock(tree / "sub")
    found = list(expand([str(tree)]))
    (tree / "sub").chmod(0o700)
    with pytest.raises(InputError, match="can not list the folder: permission denied"):
        found[-1].read(LIMITS)


def test_folders_are_listed_one_by_one(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    scandir = os.scandir

    def counted(path: str) -> object:
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    next(expand([str(tree)]))
    assert listed == [str(tree)]


def test_globs_that_the_shell_left(tree: Path) -> None:
    assert names(tree / "*.jpg") == [str(tree / "b.jpg")]
    (tree / "loop").symlink_to(tree, target_is_directory=True)
    assert names(tree / "**" / "*.t*") == [str(tree / name) for name in ("notes.txt", "no/f.txt", "sub/deep/d.tiff")]
    assert names(tree / "su?") == [str(tree / "sub/c.webp"), str(tree / "sub/deep/d.tiff")]


def test_a_glob_without_a_match_fails_when_it_is_read(tree: Path) -> None:
    source = only(tree / "*.gif")
    with pytest.raises(InputError, match=r"nothing matches: .*\*\.gif"):
        source.read(LIMITS)


def test_a_name_that_looks_like_a_glob_is_a_name_first(tree: Path) -> None:
    (tree / "[ab].jpg").write_bytes(b"brackets")
    assert only(tree / "[ab].jpg").read(LIMITS) == b"brackets"


def test_names_that_are_not_utf8(tree: Path) -> None:
    raw = os.fsencode(tree) + b"/sub/caf\xe9.jpg"
    Path(os.fsdecode(raw)).write_bytes(b"coffee")
    (tree / "sub" / "c.webp").unlink()
    for name in (os.fsdecode(raw), str(tree / "sub")):
        source = next(expand([name]))
        assert os.fsencode(source.name) == raw
        assert source.read(LIMITS) == b"coffee"


def test_a_fifo_is_read_only_when_it_is_named(tree: Path) -> None:
    os.mkfifo(tree / "pipe.jpg")
    assert str(tree / "pipe.jpg") not in names(tree)
    assert names(tree / "*.jpg") == [str(tree / "b.jpg")]
    assert names(tree / "pipe.jpg") == [str(tree / "pipe.jpg")]


@pytest.mark.parametrize("pattern", ["**/**/*.*", "**/sub/**/*.*", "**/*"])
def test_a_glob_gives_no_file_twice(tree: Path, pattern: str) -> None:
    found = names(tree / pattern)
    assert len(found) == len(set(found)) > 1


# Lists


def test_a_list_without_end_is_refused(tree: Path) -> None:
    *_, source = expand([str(tree / "b.jpg")], files_from="/dev/zero")
    with pytest.raises(InputError, match="a name of more than 65536 bytes"):
        source.read(LIMITS)


def test_a_long_name_is_refused_wherever_it_stands(tree: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list"
    listing.write_bytes(os.fsencode(tree / "b.jpg") + b"\n" + b"x" * 70_000 + b"\nlast.jpg\n")
    good, bad = expand([], files_from=str(listing))
    assert good.read(LIMITS) == b"b.jpg"
    with pytest.raises(InputError, match="a name of more than"):
        bad.read(LIMITS)


def test_a_list_that_breaks_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_list_that_can_not_be_opened_is_told_at_once(tmp_path: Path) -> None:
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


# Reading files and stdin


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.jpg", "no such file or directory"),
        ("x/\0.jpg", "embedded null byte"),
        ("n" * 300, "file name too long"),
        ("", "no such file or directory"),
    ],
)
def test_what_can_not_be_opened(name: str, words: str) -> None:
    with pytest.raises(InputError, match=f"^can not read {name}: {words}"):
        only(name).read(LIMITS)


def test_a_folder_where_a_file_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"x")
    source = only(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(InputError, match="is a directory"):
        source.read(LIMITS)


def test_permission_denied(tree: Path) -> None:
    lock(tree / "b.jpg")
    with pytest.raises(InputError, match="permission denied"):
        only(tree / "b.jpg").read(LIMITS)


def test_max_bytes(tree: Path) -> None:
    assert only(tree / "b.jpg").read(Limits(max_bytes=5)) == b"b.jpg"
    with pytest.raises(InputError, match="too large: more than 4 bytes; raise max_bytes"):
        only(tree / "b.jpg").read(Limits(max_bytes=4))


def test_an_endless_device_stops_at_the_limit() -> None:
    with pytest.raises(InputError, match="too large"):
        only("/dev/zero").read(Limits(max_bytes=3_000_000))


def test_a_pipe_with_a_name(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = os.urandom(200_000)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert only(pipe).read(LIMITS) == content
    writer.join()


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"picture")))
    source = only("-")
    assert source.name == "-"
    assert source.read(LIMITS) == b"picture"


def test_stdin_has_the_same_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(100))))
    with pytest.raises(InputError, match="- is too large"):
        only("-").read(Limits(max_bytes=99))


def test_closed_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="stdin is closed"):
        only("-").read(LIMITS)


# URLs


@pytest.mark.parametrize("path", ["picture_.jpg", "untyped", "moved", "picture_.jpg?size=große Datei"])
def test_a_url(server: str, collins: bytes, path: str) -> None:
    source = only(f"{server}/{path}")
    assert source.name == f"{server}/{path}"
    assert source.read(LIMITS) == collins


def test_the_user_agent(server: str) -> None:
    assert only(f"{server}/agent").read(LIMITS) == f"facecli/{__version__}".encode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere.jpg", "HTTP 404 Not Found"),
        ("broken", "HTTP 500 Internal Server Error"),
        ("page", "it is text/html, not a picture"),
        ("to-file", "HTTP 302 .*file:///etc/hostname.* not allowed"),
        ("to-ftp", "unknown url type: ftp"),
        ("in-circles", "infinite loop"),
        ("short", r"the connection broke after 999 of \d+ bytes"),
        ("promises-much", "it is larger than 100000 bytes"),
        ("endless", "it is larger than 100000 bytes"),
    ],
)
def test_urls_that_fail(server: str, path: str, words: str) -> None:
    with pytest.raises(FetchError, match=words) as caught:
        only(f"{server}/{path}").read(Limits(max_bytes=100_000))
    assert "\n" not in str(caught.value)
    assert f"{server}/{path}" in caught.value.message


@pytest.mark.parametrize("path", ["silent", "drip"])
def test_a_slow_url_ends_at_the_deadline(server: str, path: str) -> None:
    start = time.monotonic()
    with pytest.raises(FetchError, match=r"no picture within 0\.3 s; raise timeout"):
        only(f"{server}/{path}").read(Limits(timeout=0.3))
    assert time.monotonic() - start < 2


def test_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match="Connection refused"):
        only(f"http://127.0.0.1:{port}/a.jpg").read(LIMITS)


@pytest.mark.parametrize("url", ["ftp://host/a.jpg", "file:///etc/hostname", "s3://bucket/a.jpg"])
def test_other_schemes(url: str) -> None:
    with pytest.raises(FetchError, match="only http and https"):
        only(url).read(LIMITS)


@pytest.mark.parametrize(
    "url", ["http://", "http://[::1/a.jpg", "http://a:port/b.jpg", "http://a b/c.jpg", "http://x..y/"]
)
def test_malformed_urls(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        only(url).read(Limits(timeout=5))
    assert "\n" not in str(caught.value)
