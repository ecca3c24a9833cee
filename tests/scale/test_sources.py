"""Names of a job's pictures, and the members of archives."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.errors import FacecliError, InputError, UsageError
from facecli.scale import archives, sources
from facecli.types import Limits


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_pictures_of_an_archive_come_in_order(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / name, {"one/2.jpg": b"two", "notes.json": b"{}", "1.PNG": b"one"})
    found = [(source.name, source.read(Limits())) for source in archives.members(str(path), Limits())]
    assert found == [(f"{path}/one/2.jpg", b"two"), (f"{path}/1.PNG", b"one")]


def test_links_devices_and_members_that_are_too_large_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        large = tarfile.TarInfo("large.jpg")
        large.size = 1000
        tar.addfile(large, io.BytesIO(bytes(1000)))
    (source,) = archives.members(str(path), Limits(max_bytes=999))
    with pytest.raises(InputError, match="too large"):
        source.read(Limits())


def test_an_archive_that_breaks_off_ends_with_a_failure(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", {"1.jpg": b"x" * 600, "2.jpg": b"y" * 600})
    path.write_bytes(path.read_bytes()[: 512 + 1024 + 512 + 100])
    *good, broken = archives.members(str(path), Limits())
    assert [source.name for source in good] == [f"{path}/1.jpg"]
    assert broken.name == str(path)
    with pytest.raises(InputError, match=r"can not read .* to its end"):
        broken.read(Limits())


def pax(record: bytes) -> bytes:
    """An extended header of one record, as a member."""
    about = tarfile.TarInfo("pax")
    about.type, about.size = tarfile.XHDTYPE, len(record)
    return about.tobuf() + record.ljust(512, b"\0")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:2048] + b"\xff" * 512 + data[2560:],  # the header of the third
        lambda data: data[:2048] + bytes(512) + data[2560:],
        lambda data: data[:2048],  # cut at a member's end, without the blocks of the archive's own
        lambda data: data[:2048] + pax(b"22 GNU.sparse.map=a,b\n") + data[2048:],
    ],
)
@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_damage_in_the_middle_of_an_archive_is_no_end(tmp_path: Path, name: str, damage: Callable) -> None:
    plain = archive(tmp_path / "whole.tar", {f"{number}.jpg": b"x" * 500 for number in range(4)})
    content = damage(plain.read_bytes())
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    first, second, broken = archives.members(str(tmp_path / name), Limits())
    assert [first.name, second.name] == [f"{tmp_path / name}/{number}.jpg" for number in range(2)]
    with pytest.raises(InputError, match=r"can not read .* to its end"):
        broken.read(Limits())


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_that_would_take_all_memory_is_damage(tmp_path: Path, kind: bytes) -> None:
    about = tarfile.TarInfo("././@LongLink")
    about.type, about.size = kind, archives.MOST_HEADER + 1
    good = archive(tmp_path / "good.tar", {"1.jpg": b"x" * 512}).read_bytes()[:1024]
    content = good + about.tobuf(tarfile.GNU_FORMAT) + bytes(about.size + 2 * 10240)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(content))
    first, broken = archives.members(str(tmp_path / "a.tar.gz"), Limits())
    assert first.name == f"{tmp_path}/a.tar.gz/1.jpg"
    with pytest.raises(InputError, match=f"to its end: a header of {about.size} bytes"):
        broken.read(Limits())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_an_archive_that_is_no_file_is_one_failure(tmp_path: Path) -> None:
    """A pipe that nobody writes to would never begin."""
    os.mkfifo(tmp_path / "a.tar")
    (failure,) = archives.members(str(tmp_path / "a.tar"), Limits())
    with pytest.raises(InputError, match="is no file"):
        failure.read(Limits())


@pytest.mark.parametrize("content", [b"", b"no archive at all", gzip.compress(b"no archive either" * 100)])
def test_what_is_no_archive_is_one_failure(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    failures = [*archives.members(str(path), Limits())]
    assert len(failures) <= 1  # an empty file is an empty archive to tarfile on some Pythons
    for failure in failures:
        with pytest.raises(FacecliError):
            failure.read(Limits())
    (missing,) = archives.members(str(tmp_path / "none.tar"), Limits())
    with pytest.raises(InputError):
        missing.read(Limits())


def test_names_are_those_of_the_listing_and_archives(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.png", "c.txt", "d.tar"):
        (tmp_path / name).touch()
    expected = [str(tmp_path / name) for name in ("a.png", "b.jpg", "d.tar")]
    assert [*sources.named([str(tmp_path)])] == expected
    assert [*sources.named([str(tmp_path / "*.tar"), "gone.jpg"])] == [str(tmp_path / "d.tar"), "gone.jpg"]
    (tmp_path / "list").write_text(f"{tmp_path}/d.tar\n")
    assert [*sources.named([], files_from=str(tmp_path / "list"))] == [str(tmp_path / "d.tar")]


def test_objects_in_a_list_are_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.objects, "opened", lambda name: pytest.fail(f"{name} was asked for"))
    names = ["s3://bucket/a.jpg", "s3://bucket/B.TAR"]
    (tmp_path / "list").write_text("\n".join(names))
    assert [*sources.named([], files_from=str(tmp_path / "list"))] == names
    (tmp_path / "list").write_text("s3://bob:secret@bucket/a.jpg")
    with pytest.raises(UsageError, match="holds a secret"):
        [*sources.named([], files_from=str(tmp_path / "list"))]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("-", UsageError),
        ("https://bob:secret@host/a.jpg", UsageError),
        ("s3://bob:secret@bucket/a.jpg", UsageError),
        ("nothing/*.jpg", InputError),
        ("data:image/png;base64,AAAA", InputError),
    ],
)
def test_names_that_can_not_be_frozen_are_refused(name: str, error: type[FacecliError]) -> None:
    with pytest.raises(error) as failure:
        [*sources.named([name])]
    assert "secret@" not in str(failure.value)


def test_no_names_are_refused() -> None:
    with pytest.raises(UsageError, match="no input was named"):
        [*sources.named([])]
