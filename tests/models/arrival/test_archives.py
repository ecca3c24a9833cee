from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facecli.contract import ModelArchive, ModelSpec
from facecli.errors import ModelError
from facecli.models.arrival import archives
from facecli.models.entries import shipped
from facecli.models.store import ModelStore

CONTENT = bytes(range(256)) * 4096


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    """A zip of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def link() -> zipfile.ZipInfo:
    """A member that is a symbolic link."""
    info = zipfile.ZipInfo("w600k.onnx")
    info.external_attr = 0o120777 << 16
    return info


def encrypted(data: bytes) -> bytes:
    """The zip with the bit that calls its first member encrypted, in its header and in the directory."""
    content = bytearray(data)
    content[6] |= 1
    content[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words", "hint"),
    [
        (encrypted(zipped(("x.onnx", b"123"))), "x.zip is encrypted", "without a password"),
        (zipped(("../x.onnx", b"123")), "would lie outside", "again"),
        (b"no zip", "x.zip is no zip file", "again"),
        (zipped(("x.onnx", b"123" * 99))[:-30], "x.zip is no zip file", "again"),
    ],
)
def test_an_archive_that_is_not_read_says_what_to_do(tmp_path: Path, content: bytes, words: str, hint: str) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ModelError, match=words) as caught, archives.opened(tmp_path / "x.zip", "x.zip"):
        pass
    assert hint in str(caught.value.hint)


def test_what_fails_while_an_archive_is_open_is_not_its_fault(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped(("x.onnx", b"123")))
    with pytest.raises(ValueError, match="of something else"), archives.opened(tmp_path / "x.zip", "x.zip"):
        raise ValueError("of something else")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "home", mirror="", offline=False)


@pytest.fixture
def packed(files: Any, make_spec: Callable[..., ModelSpec]) -> Callable[..., ModelSpec]:
    """Serve bytes as an archive and give the model that is packed in it as w600k.onnx."""

    def pack(content: bytes, *urls: str, **fields: Any) -> ModelSpec:
        files.add("pack.zip", content)
        archive = ModelArchive(
            "pack.zip", hashlib.sha256(content).hexdigest(), len(content), (f"{files.url}/pack.zip",)
        )
        return make_spec(*urls, packed=((archive, "w600k.onnx"),), **fields)

    return pack


@pytest.mark.parametrize("folder", ["", "antelopev2/", "a/b/c/"])
def test_a_member_is_found_in_whatever_folder(packed: Any, store: ModelStore, folder: str, left_in: Any) -> None:
    spec = packed(zipped((f"{folder}w600k.onnx", CONTENT), (f"{folder}1k3d68.onnx", b"unwanted"), ("__MACOSX/x", b"")))
    assert store.path(spec).read_bytes() == CONTENT
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert left_in(store.root) == sorted([f"{digest}.pth", f"{digest}.stamp", "model.json"])
    assert store.provenance(spec.id)["origin"]["sources"]["acme.pth"].endswith("/pack.zip/w600k.onnx")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("../w600k.onnx", CONTENT)], "would lie outside"),
        ([("w600k.onnx", CONTENT), ("../../.bashrc", b"evil")], "would lie outside"),
        ([("w600k.onnx", CONTENT), ("/etc/passwd", b"evil")], "would lie outside"),
        ([("w600k.onnx", CONTENT), ("C:\\evil.dll", b"evil")], "would lie outside"),
        ([("w600k.onnx", CONTENT), ("..\\evil.dll", b"evil")], "would lie outside"),
        ([(link(), b"/etc/passwd")], "would lie outside"),
        ([("a/w600k.onnx", CONTENT), ("b/w600k.onnx", CONTENT)], "2 files w600k.onnx"),
        ([("other.onnx", CONTENT)], "0 files w600k.onnx"),
        ([("w600k.onnx", CONTENT[:-1] + b"?")], "sha256 of w600k.onnx is"),
        ([("w600k.onnx", bytes(2**24))], "has 16777216 bytes, not 1048576"),
    ],
)
def test_what_could_do_harm_is_refused(
    packed: Any, store: ModelStore, left_in: Any, tmp_path: Path, members: Any, reason: str
) -> None:
    with pytest.raises(ModelError, match=reason):
        store.path(packed(zipped(*members)))
    assert left_in(store.root) == []
    assert {path.name for path in tmp_path.iterdir()} <= {"home"}


def test_a_bomb_that_lies_about_its_size_is_stopped(packed: Any, store: ModelStore, left_in: Any) -> None:
    """The headers promise the right size, and the data inflates to a thousand times as much."""
    content = bytearray(zipped(("w600k.onnx", bytes(2**26))))
    size, crc = len(CONTENT).to_bytes(4, "little"), zlib.crc32(CONTENT).to_bytes(4, "little")
    local, central = content.index(b"PK\x03\x04"), content.index(b"PK\x01\x02")
    content[local + 22 : local + 26] = content[central + 24 : central + 28] = size
    content[local + 14 : local + 18] = content[central + 16 : central + 20] = crc
    with pytest.raises(ModelError, match="could not be fetched"):
        store.path(packed(bytes(content)))
    assert left_in(store.root) == []


@pytest.mark.parametrize("content", [b"no zip", b"PK\x03\x04" + b"\0" * 100, b""])
def test_what_is_no_zip_is_told(packed: Any, store: ModelStore, content: bytes) -> None:
    with pytest.raises(ModelError, match=r"pack\.zip is no zip file that can be read"):
        store.path(packed(content))


def test_an_encrypted_member_is_told(packed: Any, store: ModelStore) -> None:
    content = bytearray(zipped(("w600k.onnx", CONTENT)))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    with pytest.raises(ModelError, match="encrypted"):
        store.path(packed(bytes(content)))


def test_a_direct_address_comes_first_and_the_archive_after_it(packed: Any, files: Any, store: ModelStore) -> None:
    spec = packed(zipped(("w600k.onnx", CONTENT)), f"{files.url}/gone")
    assert store.path(spec).read_bytes() == CONTENT
    assert len(files.files["/pack.zip"].log) == 1
    direct = files.add("here")
    spec = packed(zipped(("w600k.onnx", CONTENT)), f"{files.url}/here")
    other = ModelStore(store.root.parent / "other", mirror="", offline=False)
    other.path(spec)
    assert (len(direct.log), len(files.files["/pack.zip"].log)) == (1, 0)


def test_others_that_are_wanted_come_along(
    packed: Any, files: Any, store: ModelStore, make_spec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = {"a.onnx": b"a" * 999, "b.onnx": b"b" * 999, "c.onnx": b"c" * 999}
    spec = packed(zipped(("w600k.onnx", CONTENT), *((f"deep/{name}", content) for name, content in inside.items())))
    (archive, _) = spec.files[0].packed[0]

    def model(name: str, content: bytes, **fields: Any) -> ModelSpec:
        digest, place = hashlib.sha256(content).hexdigest(), ((archive, name),)
        return make_spec(model_id=name, name=name, sha256=digest, size=len(content), packed=place, **fields)

    good, licensed = model("a.onnx", inside["a.onnx"]), model("b.onnx", inside["b.onnx"], commercial_use=False)
    wrong = model("c.onnx", b"not what is there")
    others = [(other, other.files[0]) for other in (wrong, licensed, good, spec)]
    monkeypatch.setattr(shipped, "packed_in", lambda asked: others if asked == archive else [])
    store.path(spec)
    assert [store.state(other) for other in (good, licensed, wrong)] == ["installed", "absent", "absent"]
    assert len(files.files["/pack.zip"].log) == 1


def test_the_archives_of_the_catalogue_are_those_of_their_publisher() -> None:
    known = shipped.archives()
    assert set(known) == {"buffalo_l.zip", "buffalo_m.zip", "buffalo_s.zip", "buffalo_sc.zip", "antelopev2.zip"}
    assert all(len(archive.sha256) == 64 and archive.urls[0].endswith(name) for name, archive in known.items())


def test_an_archive_is_looked_for_in_the_mirror_too(packed: Any, tmp_path: Path) -> None:
    content = zipped(("antelopev2/w600k.onnx", CONTENT))
    spec = packed(content)
    (tmp_path / "pack.zip").write_bytes(content)
    store = ModelStore(tmp_path / "home", mirror=str(tmp_path), offline=True)
    assert store.path(spec).read_bytes() == CONTENT
