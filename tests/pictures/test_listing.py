"""What names stand for: files, folders, globs and links, in which order, and never twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facecli.errors import InputError
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


def test_a_locked_folder_inside_is_an_error(tree: Path) -> None:
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
