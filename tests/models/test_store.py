from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from facecli.cli.wording import option
from facecli.contract import ModelFile, ModelSpec
from facecli.errors import ModelError, OutputError
from facecli.models import catalogue
from facecli.models.disk import records
from facecli.models.store import ModelStore

CONTENT = b"weights " * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def spec(file: ModelFile) -> ModelSpec:
    return ModelSpec("some/model", "recognizer", "", (file,), "MIT", True, "here", hint="type this")


def downloadable(*urls: str, sha256: str = SHA256) -> ModelSpec:
    return spec(ModelFile("weights.onnx", sha256, len(CONTENT), urls))


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "weights.onnx").write_bytes(CONTENT)
    return folder


def test_a_mirror_folder_is_copied_once_and_checked(tmp_path: Path, mirror: Path) -> None:
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    path = store.path(downloadable())
    assert path.read_bytes() == CONTENT
    (mirror / "weights.onnx").unlink()
    assert store.path(downloadable()) == path
    assert store.has(downloadable())


def test_a_wrong_hash_keeps_nothing_and_tells_both(tmp_path: Path, mirror: Path) -> None:
    (mirror / "weights.onnx").write_bytes(b"other")
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    with pytest.raises(ModelError) as caught:
        store.path(downloadable())
    assert SHA256 in str(caught.value)
    assert hashlib.sha256(b"other").hexdigest() in str(caught.value)
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_offline_asks_no_url_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"http://127.0.0.1:9/w: offline.*type this"):
        ModelStore(tmp_path, mirror="", offline=True).path(downloadable("http://127.0.0.1:9/w"))


def test_the_next_url_is_tried_when_one_fails(tmp_path: Path, server: str, collins: bytes) -> None:
    wanted = ModelFile(
        "w.onnx", hashlib.sha256(collins).hexdigest(), len(collins), (f"{server}/no", f"{server}/picture_.jpg")
    )
    assert ModelStore(tmp_path, offline=False).path(spec(wanted)).read_bytes() == collins


def test_every_place_that_failed_is_told(tmp_path: Path, server: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelStore(tmp_path, offline=False).path(downloadable(f"{server}/no", f"{server}/picture_.jpg"))
    assert f"{server}/no: HTTP 404 Not Found" in str(caught.value)
    assert f"{server}/picture_.jpg: sha256 is " in str(caught.value)


def test_a_file_changed_behind_our_back_is_refused(tmp_path: Path, mirror: Path) -> None:
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    path = store.path(downloadable())
    path.write_bytes(CONTENT[:-1] + b"!")  # the same size, another stamp
    with pytest.raises(ModelError, match="is damaged"):
        store.path(downloadable())
    assert store.verify(downloadable()) == {"weights.onnx": "damaged"}


def test_a_new_stamp_on_the_same_content_is_no_damage(tmp_path: Path, mirror: Path) -> None:
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    path = store.path(downloadable())
    path.write_bytes(CONTENT)
    assert store.path(downloadable()) == path


def carried(path: Path, **fields: Any) -> ModelSpec:
    return spec(ModelFile(path.name, **{"sha256": SHA256, "size": len(CONTENT), "path": path} | fields))


def test_a_package_s_file_is_hashed_before_its_first_use_and_after_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, store, hashed = tmp_path / "weights.onnx", ModelStore(tmp_path / "home"), []
    file.write_bytes(CONTENT)

    def counted(path: Path) -> str:
        hashed.append(path)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr("facecli.models.store.sha256_of", counted)
    assert [store.path(carried(file)) for _ in range(3)] == [file] * 3
    assert hashed == [file]
    file.write_bytes(CONTENT[:-1] + b"!")  # the same size, another time
    for _ in range(2):
        with pytest.raises(
            ModelError, match=f"weights.onnx of model some/model has the sha256 .*, its package states {SHA256}"
        ):
            store.path(carried(file))
    assert store.state(carried(file)) == "damaged"
    another = tmp_path / "another" / "weights.onnx"  # what another environment's package has
    another.parent.mkdir()
    another.write_bytes(CONTENT)
    assert store.path(carried(another)) == another
    assert hashed[-1] == another


def test_a_package_that_states_no_hash_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.onnx"
    file.write_bytes(CONTENT)
    with pytest.raises(ModelError, match=f"has the sha256 {SHA256}, its package states none; reinstall the package"):
        ModelStore(tmp_path / "home").path(carried(file, sha256=None))


def test_an_export_is_registered_and_found(tmp_path: Path) -> None:
    made = tmp_path / "made.onnx"
    made.write_bytes(CONTENT)
    wanted = spec(ModelFile("made.onnx", None))
    store = ModelStore(tmp_path / "home")
    assert not store.has(wanted)
    with pytest.raises(ModelError, match=r"some/model is not installed; type this"):
        store.path(wanted)
    store.register("some/model", [made], {"recipe": "r"})
    assert store.path(wanted).read_bytes() == CONTENT
    assert store.file(wanted).sha256 == SHA256
    assert store.verify(wanted) == {"made.onnx": "ok"}
    assert ModelStore(tmp_path / "home").registration("some/model")["origin"] == {"recipe": "r"}


def test_an_export_stands_for_what_is_published(tmp_path: Path, mirror: Path) -> None:
    made = tmp_path / "weights.onnx"
    made.write_bytes(b"made here")
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    store.path(downloadable())
    store.register("some/model", [made], {})
    path = store.path(downloadable())
    assert path.read_bytes() == b"made here"
    assert store.verify(downloadable()) == {"weights.onnx": "ok"}
    path.unlink()
    with pytest.raises(ModelError, match="type this"):  # not silently another network
        store.path(downloadable())
    (pulled,) = store.pull(downloadable())
    assert pulled.path.read_bytes() == CONTENT
    assert store.path(downloadable()) == pulled.path


def test_a_pull_reads_each_record_once_if_the_file_is_there(
    tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpinned = spec(ModelFile("weights.onnx", None, urls=("https://example.org/weights.onnx",)))
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    (fetched,) = store.pull(unpinned)
    read: list[str] = []
    real = records.read
    monkeypatch.setattr(records, "read", lambda path: (read.append(path.parents[1].name), real(path))[1])
    (present,) = store.pull(unpinned)
    assert (present.path, present.sha256, present.source) == (fetched.path, SHA256, None)
    assert sorted(read) == ["fetched", "registered"]


def test_a_file_is_named_when_there_are_several() -> None:
    store, mtcnn = ModelStore(), catalogue.load("mtcnn")
    with pytest.raises(ModelError, match=r"several files.*mtcnn_pnet.onnx"):
        store.path(mtcnn)
    with pytest.raises(ModelError, match="no file 'x'"):
        store.path(mtcnn, "x")


def test_a_store_that_can_not_be_written_is_told(tmp_path: Path, mirror: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(Exception, match="can not write"):
        ModelStore(tmp_path / "home", mirror=str(mirror), offline=True).path(downloadable())


def test_an_embedded_file_of_another_size_is_refused(tmp_path: Path) -> None:
    carried = tmp_path / "carried.onnx"
    carried.write_bytes(CONTENT)
    entry = ModelFile("carried.onnx", SHA256, len(CONTENT), path=carried)
    assert ModelStore(tmp_path).path(spec(entry)) == carried
    carried.write_bytes(CONTENT[:-8])
    with pytest.raises(ModelError, match="reinstall the package"):
        ModelStore(tmp_path).path(spec(entry))
    carried.unlink()
    with pytest.raises(ModelError, match="missing from its package"):
        ModelStore(tmp_path).path(spec(entry))


@pytest.mark.parametrize(
    "record",
    [
        b"not json",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"files": [], "origin": 3}',
        b'{"files": [{"name": "made.onnx"}], "origin": {}}',
        b'{"files": [{"name": "made.onnx", "sha256": "../x", "size": 1}], "origin": {}}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_registration_is_told(tmp_path: Path, record: bytes) -> None:
    path = tmp_path / "registered" / "some" / "model.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(record)
    store, wanted = ModelStore(tmp_path), spec(ModelFile("made.onnx", None))
    with pytest.raises(ModelError, match=r"model\.json .*delete .* and export the model again"):
        store.path(wanted)
    assert store.state(wanted) == "damaged"
    assert store.verify(wanted) == {"made.onnx": "damaged"}


def test_the_state_of_a_model(tmp_path: Path, mirror: Path) -> None:
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    assert store.state(downloadable()) == "absent"
    path = store.path(downloadable())
    assert store.state(downloadable()) == "installed"
    path.write_bytes(b"other")
    assert store.state(downloadable()) == "damaged"


@pytest.mark.parametrize("stamp", [b"\xff", b"another"])
def test_a_store_that_can_only_be_read_works_while_the_hash_fits(
    tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch, stamp: bytes
) -> None:
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    path = store.path(downloadable())
    path.with_suffix(".stamp").write_bytes(stamp)

    def refuse(*_: object) -> None:
        raise OutputError("can not write")

    # Not by the folder's mode: the tests may run as root, whom none stops.
    monkeypatch.setattr("facecli.models.disk.stamps.write_bytes", refuse)
    assert store.path(downloadable()) == path


def test_a_store_that_can_not_be_written_is_a_model_error(tmp_path: Path, mirror: Path) -> None:
    (tmp_path / "home").touch()
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    with pytest.raises(ModelError) as caught:
        store.path(downloadable())
    assert "name another folder in FACECLI_HOME" in caught.value.text(option)
    with pytest.raises(ModelError) as caught:
        store.register("some/model", [mirror / "weights.onnx"], {})
    assert "name another folder in FACECLI_HOME" in caught.value.text(option)


def test_a_damaged_file_says_what_to_type(tmp_path: Path, mirror: Path) -> None:
    store = ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)
    path = store.path(downloadable())
    path.write_bytes(b"other")
    with pytest.raises(ModelError) as caught:
        store.path(downloadable())
    assert caught.value.hint == "facecli models pull some/model"


def test_doctor_tells_a_damaged_registration_and_goes_on(run_cli: Any, tmp_path: Path) -> None:
    path = tmp_path / "registered" / "emotion" / "mini-xception.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not json")
    done = run_cli("doctor", "--json", env={"FACECLI_HOME": str(tmp_path)})
    assert done.returncode == 4
    checks = {check["check"]: check for check in done.json["checks"]}
    assert "mini-xception.json" in checks["model emotion/mini-xception"]["found"]
    assert checks["model mtcnn_pnet.onnx"]["ok"]
