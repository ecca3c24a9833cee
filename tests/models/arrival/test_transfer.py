from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest

from facecli.contract import ModelSpec
from facecli.errors import ModelError
from facecli.models.arrival import transfer
from facecli.models.arrival.partial import Partial
from facecli.models.arrival.transfer import TransferError, copy
from facecli.models.store import ModelStore

pytestmark = pytest.mark.usefixtures("_hasty")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "home", mirror="", offline=False)


def content(spec: ModelSpec, store: ModelStore) -> bool:
    """Fetch a model's file; whether it is what it should be."""
    file = spec.files[0]
    return hashlib.sha256(store.path(spec).read_bytes()).hexdigest() == file.sha256


def test_a_cut_connection_is_resumed(files: Any, store: ModelStore, make_spec: Callable[..., ModelSpec]) -> None:
    served = files.add("w", cuts=[300_000, 400_000])
    assert content(make_spec(f"{files.url}/w"), store)
    first, second, third = served.asked_ranges
    assert first is None
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in (second, third)]
    assert 0 < starts[0] <= 300_000 < starts[1] <= 700_000
    assert [request.get("If-Range") is not None for request in served.log] == [False, True, True]
    assert not list(store.layout.partial.iterdir())


def test_a_transfer_goes_on_in_the_next_process(files: Any, store: ModelStore, make_spec: Any) -> None:
    served = files.add("w", cuts=[300_000], statuses=[200, 404])
    with pytest.raises(ModelError, match="HTTP 404"):
        store.path(make_spec(f"{files.url}/w"))
    assert content(make_spec(f"{files.url}/w"), ModelStore(store.root, mirror="", offline=False))
    assert served.asked_ranges[-1] not in (None, "bytes=0-")


def test_a_mirror_folder_without_the_file_leaves_what_was_fetched(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "x.part")
    partial.path.write_bytes(b"half")
    with pytest.raises(TransferError):
        copy(tmp_path / "mirror" / "x.onnx", partial, "x.onnx")
    assert partial.path.read_bytes() == b"half"


def test_another_mirror_goes_on_where_the_first_was_cut(files: Any, store: ModelStore, make_spec: Any) -> None:
    files.add("a", cuts=[300_000], statuses=[200, 404])
    second = files.add("b")
    assert content(make_spec(f"{files.url}/a", f"{files.url}/b"), store)
    assert second.asked_ranges[0] not in (None, "bytes=0-")
    assert "If-Range" not in second.log[0]  # the first one's tag means nothing to the second


def test_a_file_that_changed_meanwhile_is_fetched_anew(files: Any, store: ModelStore, make_spec: Any) -> None:
    old = files.add("w", b"o" * 2**20, cuts=[300_000], statuses=[200, 404])
    with pytest.raises(ModelError):
        store.path(make_spec(f"{files.url}/w"))
    new = files.add("w")
    assert content(make_spec(f"{files.url}/w"), store)
    assert len(old.log) == 2
    assert len(new.log) == 1  # If-Range told the server that ours is another version: it sent the whole at once
    assert new.log[0]["If-Range"].strip('"') == hashlib.md5(old.content).hexdigest()


@pytest.mark.parametrize("how", [{"ranges": False}, {"shift": 7}])
def test_a_server_that_does_not_go_on_begins_anew(files: Any, store: ModelStore, make_spec: Any, how: Any) -> None:
    files.add("w", cuts=[300_000], **how)
    assert content(make_spec(f"{files.url}/w"), store)


def test_what_lay_there_is_not_the_fault_of_the_server(files: Any, store: ModelStore, make_spec: Any) -> None:
    served = files.add("w")
    spec = make_spec(f"{files.url}/w")
    for garbage in (b"x" * 300_000, b"x" * len(served.content), b"x" * (len(served.content) + 1)):
        arriving = store.layout.arriving(spec.files[0].sha256)
        arriving.parent.mkdir(parents=True, exist_ok=True)
        arriving.write_bytes(garbage)
        path = store.path(spec)
        assert path.read_bytes() == served.content
        path.unlink()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(files: Any, store: ModelStore, make_spec: Any, status: int) -> None:
    served = files.add("w", statuses=[status, status], headers={"Retry-After": "0"})
    assert content(make_spec(f"{files.url}/w"), store)
    assert len(served.log) == 3


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_the_next_place_follows_a_final_no_at_once(files: Any, store: ModelStore, make_spec: Any, status: int) -> None:
    first = files.add("a", statuses=[status])
    files.add("b")
    assert content(make_spec(f"{files.url}/a", f"{files.url}/b"), store)
    assert len(first.log) == 1


def test_it_gives_up_after_some_tries(files: Any, store: ModelStore, make_spec: Any) -> None:
    served = files.add("w", statuses=[503] * 9)
    with pytest.raises(ModelError, match=r"HTTP 503.*facecli models pull acme/model"):
        store.path(make_spec(f"{files.url}/w"))
    assert len(served.log) == 4


def test_a_wrong_hash_tells_the_url_and_both_hashes(
    files: Any, store: ModelStore, make_spec: Any, left_in: Any
) -> None:
    served = files.add("w", b"x" * 2**20)
    with pytest.raises(ModelError) as caught:
        store.path(make_spec(f"{files.url}/w"))
    wanted, actual = make_spec().files[0].sha256, hashlib.sha256(served.content).hexdigest()
    for part in (f"{files.url}/w", wanted, actual):
        assert part in str(caught.value)
    assert left_in(store.root) == []


def test_much_more_than_stated_is_not_read(files: Any, store: ModelStore, make_spec: Any) -> None:
    files.add("w", b"x" * 2**21)
    with pytest.raises(ModelError, match="larger than 999 bytes"):
        store.path(make_spec(f"{files.url}/w", size=999))
    files.add("w", b"x" * 2**22, headers={"Content-Encoding": "br"})  # so that the length says nothing
    with pytest.raises(ModelError, match="larger than 999 bytes"):
        store.path(make_spec(f"{files.url}/w", size=999))
    assert sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file()) < 2**21


def test_a_place_that_drips_is_left_for_the_next(
    files: Any, store: ModelStore, make_spec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "WINDOW", 0.2)
    monkeypatch.setattr(transfer, "SLOWEST", 2**20)
    slow = files.add("a", pause=0.1)  # 64 KiB each time
    files.add("b")
    assert content(make_spec(f"{files.url}/a", f"{files.url}/b"), store)
    assert len(slow.log) == 1
    files.add("b", statuses=[404])
    with pytest.raises(ModelError, match=r"/a: it sent \d+ bytes in 0 s; .*/b: HTTP 404"):
        store.path(make_spec(f"{files.url}/a", f"{files.url}/b", sha256="0" * 64))


def test_the_body_of_a_redirect_is_not_read(server: str, collins: bytes, misbehaving: Any, make_spec: Any) -> None:
    with TemporaryDirectory() as home:
        store = ModelStore(Path(home), mirror="", offline=False)
        digest = hashlib.sha256(collins).hexdigest()
        spec = make_spec(f"{server}/moved-with-much", sha256=digest, size=len(collins))
        assert store.path(spec).read_bytes() == collins
    assert misbehaving.taken < 2**24  # what the system's buffers hold


def test_names_and_passwords_are_not_told(files: Any, tmp_path: Path, make_spec: Any) -> None:
    mirror = files.url.replace("http://", "http://me:secret@")
    store = ModelStore(tmp_path / "home", mirror=mirror, offline=False)
    with pytest.raises(ModelError) as caught:
        store.path(make_spec())
    assert f"{files.url}/acme.pth: HTTP 404" in str(caught.value)
    served = files.add("acme.pth")
    store.path(make_spec())
    assert served.log[0]["Authorization"].startswith("Basic ")
    told = "".join(path.read_text() for path in store.root.rglob("*.json"))
    assert f"{files.url}/acme.pth" in told
    assert "secret" not in told + str(caught.value)


def test_a_place_that_is_no_url_is_told(store: ModelStore, make_spec: Any) -> None:
    with pytest.raises(
        ModelError, match=r"ftp://127\.0\.0\.1/w: .*http://\[bad: .*http://127\.0\.0\.1:1/w: Connection refused"
    ):
        store.path(make_spec("ftp://127.0.0.1/w", "http://[bad", "http://127.0.0.1:1/w"))


def test_a_file_that_does_not_fit_on_the_disk_is_refused_before_it_is_fetched(
    files: Any, store: ModelStore, make_spec: Any, monkeypatch: pytest.MonkeyPatch, left_in: Any
) -> None:
    served = files.add("w")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(ModelError, match=r"needs 1048576 bytes, and 1000 are free.*free some space"):
        store.path(make_spec(f"{files.url}/w"))
    assert served.log == []
    assert left_in(store.root) == []


def test_progress_is_told(files: Any, tmp_path: Path, make_spec: Any) -> None:
    files.add("w", cuts=[300_000])
    told: list[tuple[str, int, int | None]] = []
    store = ModelStore(tmp_path, mirror="", offline=False, progress=lambda *step: told.append(step))
    store.path(make_spec(f"{files.url}/w"))
    assert told[-1] == ("acme.pth", 2**20, 2**20)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)  # it never begins anew
