from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from facecli.cli.wording import option
from facecli.contract import CropSpec, ModelFile, ModelSpec, OperatingPoint, Preprocessing
from facecli.errors import ModelError
from facecli.models import adding, catalogue
from facecli.models.bundle import export_bundle, import_bundle
from facecli.models.store import ModelStore

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def specs(make_spec: Callable[..., ModelSpec]) -> dict[str, ModelSpec]:
    """A model that is fetched, one that is exported, and one that shares its file with the first."""
    made = [
        make_spec(licence="NC", commercial_use=False),
        make_spec(model_id="acme/exported", sha256=None, size=None, name="made.onnx"),
        make_spec(model_id="acme/twin"),
    ]
    return {spec.id: spec for spec in made}


@pytest.fixture
def bundle(specs: dict[str, ModelSpec], tmp_path: Path) -> Path:
    """A bundle of these three."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "acme.pth").write_bytes(CONTENT)
    (mirror / "made.onnx").write_bytes(b"made here")
    store = ModelStore(tmp_path / "source", mirror=str(mirror), offline=True, accept_licence=True)
    store.register("acme/exported", [mirror / "made.onnx"], {"recipe": "r"})
    path = tmp_path / "models.zip"
    models = export_bundle(store, specs.values(), path)
    assert [(model.id, model.registered is not None) for model in models] == [
        ("acme/model", False),
        ("acme/exported", True),
        ("acme/twin", False),
    ]
    return path


@pytest.fixture
def target(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "target", mirror="", offline=True, accept_licence=True)


def finder(specs: dict[str, ModelSpec]) -> Callable[[str], ModelSpec]:
    def find(name: str) -> ModelSpec:
        if name not in specs:
            raise ModelError(f"unknown model {name!r}")
        return specs[name]

    return find


def changed(bundle: Path, change: Callable[[dict[str, Any]], None], **more: bytes) -> None:
    """Write a bundle again with another manifest, and other or more members."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    change(manifest)
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, content in (members | more).items():
            archive.writestr(name, content)


def test_what_is_bundled_is_installed_elsewhere(bundle: Path, specs: Any, target: ModelStore, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert len(archive.namelist()) == 3  # the manifest, and each content once
    import_bundle(target, bundle, finder(specs))
    shutil.rmtree(tmp_path / "mirror")
    assert target.path(specs["acme/model"]).read_bytes() == CONTENT
    assert target.path(specs["acme/exported"]).read_bytes() == b"made here"
    assert target.registration("acme/exported")["origin"] == {"recipe": "r"}
    assert target.provenance("acme/model")["origin"]["sources"] == {"acme.pth": "models.zip"}
    assert {state for spec in specs.values() for state in target.verify(spec).values()} == {"ok"}
    assert not list(target.layout.partial.iterdir())
    import_bundle(target, bundle, finder(specs))  # again does no harm


def test_a_bundle_under_the_old_schema_name_is_still_read(bundle: Path, specs: Any, target: ModelStore) -> None:
    """facecli 0.1.0 called it facecli.bundle/1, which is now the manifest of an edge folder alone."""
    with zipfile.ZipFile(bundle) as archive:
        assert json.loads(archive.read("manifest.json"))["schema"] == "facecli.models-bundle/1"
    changed(bundle, lambda manifest: manifest.update(schema="facecli.bundle/1"))
    import_bundle(target, bundle, finder(specs))
    assert {state for spec in specs.values() for state in target.verify(spec).values()} == {"ok"}


def test_a_licence_is_accepted_anew(bundle: Path, specs: Any, tmp_path: Path, left_in: Any) -> None:
    strict = ModelStore(tmp_path / "strict", mirror="", offline=True, accept_licence=False)
    with pytest.raises(ModelError, match="--accept-license"):
        import_bundle(strict, bundle, finder(specs))
    assert left_in(strict.root) == []


BLOB = f"blobs/{SHA256}"


@pytest.mark.parametrize(
    ("change", "members", "reason"),
    [
        (lambda _: None, {BLOB: CONTENT[:-1] + b"?"}, "acme.pth is damaged: sha256 is"),
        (lambda _: None, {BLOB: CONTENT + b"?"}, "has 1048577 bytes, not 1048576"),
        (lambda _: None, {"../evil": b""}, "would lie outside"),
        (lambda _: None, {"blobs/more": b""}, "does not hold what it lists: blobs/more"),
        (lambda m: m["models"].append({**m["models"][0], "id": "nobody"}), {}, "unknown model 'nobody'"),
        (lambda m: m["models"].append({**m["models"][0], "id": 3}), {}, "damaged"),
        (lambda m: m["models"][0]["files"][0].update(sha256="../../x"), {}, "damaged"),
        (lambda m: m["models"][0]["files"][0].update(size=-1), {}, "damaged"),
        (lambda m: m["models"][0]["files"][0].update(name="evil.onnx"), {}, "has no file evil.onnx"),
        (lambda m: m["models"][1]["files"][0].update(sha256="0" * 64), {}, "does not hold what it lists"),
        (lambda m: m.update(models=3), {}, "damaged"),
        (lambda m: m.update(selftests=3), {}, "damaged"),
        (lambda m: m.update(selftests={SHA256: {"rule": 3}}), {}, "damaged: it is no self-test"),
        (lambda m: m.update(schema="facecli.models-bundle/9"), {}, "no bundle that this facecli reads"),
        (lambda m: m.clear(), {}, "no bundle that this facecli reads"),
    ],
)
def test_a_bundle_that_was_tampered_with_is_refused_whole(
    bundle: Path, specs: Any, target: ModelStore, left_in: Any, change: Any, members: dict[str, bytes], reason: str
) -> None:
    changed(bundle, change, **members)
    with pytest.raises(ModelError, match=reason):
        import_bundle(target, bundle, finder(specs))
    assert [name for name in left_in(target.root) if name != "licences.json"] == []


def test_another_file_in_place_of_a_model_is_refused(bundle: Path, specs: Any, target: ModelStore) -> None:
    evil = b"another network"
    digest = hashlib.sha256(evil).hexdigest()

    def change(manifest: dict[str, Any]) -> None:
        manifest["models"] = manifest["models"][:1]
        manifest["models"][0]["files"][0].update(sha256=digest, size=len(evil))

    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    change(manifest)
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        archive.writestr(f"blobs/{digest}", evil)
    with pytest.raises(ModelError, match=f"not the one of acme/model: sha256 {digest}; it should be {SHA256}"):
        import_bundle(target, bundle, finder(specs))

    def as_an_export(manifest: dict[str, Any]) -> None:
        manifest["models"][0]["registered"] = {}

    changed(bundle, as_an_export)
    with pytest.raises(ModelError) as caught:
        import_bundle(target, bundle, finder(specs))
    assert f"not the one of acme/model: sha256 {digest}; --accept-exports" in caught.value.text(option)
    import_bundle(target, bundle, finder(specs), accept_exports=True)
    assert target.path(specs["acme/model"]).read_bytes() == evil


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_told(tmp_path: Path, target: ModelStore, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"no zip file|manifest\.json"):
        import_bundle(target, path, finder({}))


def test_a_bundle_that_does_not_fit_is_refused(
    bundle: Path, specs: Any, target: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(ModelError, match="and 1000 are free"):
        import_bundle(target, bundle, finder(specs))


def test_bundles_on_the_command_line(run_cli: Any, files: Any, plugin: Any, tmp_path: Path) -> None:
    served = files.add("w")
    env = plugin(f"{files.url}/w", licence="NC", commercial_use=False)
    bundle = tmp_path / "b.zip"
    nothing = run_cli("models", "export-bundle", bundle, env=env)
    assert (nothing.returncode, bundle.exists()) == (2, False)
    made = run_cli("models", "export-bundle", bundle, "acme/model", "--accept-license", "--json", env=env)
    assert made.returncode == 0, made.stderr
    assert made.json["size"] == bundle.stat().st_size
    all_of_it = run_cli("models", "export-bundle", tmp_path / "all.zip", "--json", env=env)
    assert [model["id"] for model in all_of_it.json["models"]] == ["acme/model"]
    there = env | {"FACECLI_HOME": str(tmp_path / "there"), "FACECLI_OFFLINE": "1"}
    assert run_cli("models", "import-bundle", bundle, env=there).returncode == 4
    done = run_cli("models", "import-bundle", bundle, "--accept-license", "--json", env=there)
    assert [model["id"] for model in done.json["models"]] == ["acme/model"]
    path = Path(run_cli("models", "path", "acme/model", "--json", env=there).json["files"][0]["path"])
    assert path.read_bytes() == served.content
    assert run_cli("models", "verify", "acme/model", env=there).returncode == 0
    assert len(served.log) == 1


def own_spec(summary: str = "Mine") -> ModelSpec:
    """A recognizer of the user's."""
    crop, how = CropSpec(112, 112), Preprocessing("RGB", (127.5,), (128.0,))
    point = OperatingPoint("cosine", 0.5, "ours")
    files: tuple[ModelFile, ...] = ()
    return ModelSpec(
        "my/net",
        "recognizer",
        summary,
        files,
        "MIT",
        commercial_use=True,
        source="here",
        crop=crop,
        preprocessing=how,
        dim=4,
        operating_point=point,
    )


@pytest.fixture
def own_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of a model that the user has added; from then on the environment is that of another machine."""
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path / "source"))
    (tmp_path / "net.onnx").write_bytes(CONTENT)
    store = ModelStore(mirror="", offline=True)
    adding.add(own_spec(), tmp_path / "net.onnx", store, {})
    export_bundle(store, [catalogue.load("my/net")], tmp_path / "own.zip")
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path / "target"))
    return tmp_path / "own.zip"


def test_a_model_of_ones_own_comes_with_its_description(own_bundle: Path, target: ModelStore) -> None:
    with pytest.raises(ModelError, match="unknown model"):
        catalogue.load("my/net")
    import_bundle(target, own_bundle, catalogue.load)
    spec = catalogue.load("my/net")
    assert (spec.dim, spec.summary) == (4, "Mine")
    assert target.path(spec).read_bytes() == CONTENT
    import_bundle(target, own_bundle, catalogue.load)


@pytest.mark.parametrize("content", [b"", b"3", b"[" * 100_000, b"\xff"])
def test_a_damaged_description_here_is_not_called_the_bundles(
    own_bundle: Path, target: ModelStore, content: bytes
) -> None:
    import_bundle(target, own_bundle, catalogue.load)
    (description,) = target.layout.root.joinpath("catalogue").rglob("net.json")
    description.write_bytes(content)
    with pytest.raises(ModelError, match=r"net\.json is damaged") as caught:
        import_bundle(target, own_bundle, catalogue.load)
    assert "facecli models add" in str(caught.value.hint)


def test_a_name_that_is_taken_is_not_given_away(own_bundle: Path, target: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"other")
    adding.add(own_spec(summary="Another"), tmp_path / "other.onnx", target, {})
    with pytest.raises(ModelError, match=r"another model is called my/net here; .*facecli models rm my/net"):
        import_bundle(target, own_bundle, catalogue.load)
    assert catalogue.load("my/net").summary == "Another"


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model["description"].update(kind="../../evil"),
        lambda model: model["description"].update(kind="attribute"),
        lambda model: model["description"].update(dim=-1),
        lambda model: model["description"].update(schema="?"),
        lambda model: model["description"]["files"][0].update(sha256="0" * 64),
        lambda model: model.update(description=3),
        lambda model: (model.update(id="../../evil"), model["description"].update(id="../../evil")),
        lambda model: (model.update(id="mtcnn"), model["description"].update(id="mtcnn")),
    ],
)
def test_a_description_that_is_not_sound_is_refused(
    own_bundle: Path, target: ModelStore, left_in: Any, change: Callable[[dict[str, Any]], None]
) -> None:
    changed(own_bundle, lambda manifest: change(manifest["models"][0]))
    with pytest.raises(ModelError):
        import_bundle(target, own_bundle, catalogue.load)
    assert [name for name in left_in(target.root) if name != "licences.json"] == []
