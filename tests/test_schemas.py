"""Every JSON output is what docs/schemas says, and the schemas are strict enough to notice when it is not."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from facecli import __version__, errors
from facecli.contract import OperatingPoint
from facecli.gallery.space import Space
from facecli.gallery.store.changes import rename
from facecli.gallery.store.exchange_files import export
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore
from facecli.matching.operating_points import OperatingPointStore, UserOperatingPoint
from facecli.models import catalogue
from facecli.models.bundle import export_bundle
from facecli.models.disk import records as model_records
from facecli.models.selftests import asking
from facecli.models.store import ModelStore

ROOT = Path(__file__).parents[1]
SCHEMAS = {path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "docs" / "schemas").glob("*.json")}
RESOURCES = Registry().with_resources((f"{name}.json", Resource.from_contents(own)) for name, own in SCHEMAS.items())
EMOTION = "emotion/mini-xception"

# A name, the command line ({tmp} is an empty folder), and the exit code. They run in examples/.
RUNS = {
    "detect": ("detect collins.jpg missing.jpg --json", 1),
    "detect, lines": ("detect collins.jpg missing.jpg --format jsonl", 1),
    "detect, no landmarks, no models": ("detect collins.jpg --detector haar --json", 0),
    "detect, turned": ("detect hopper.jpg --rotate auto --json", 0),
    "detect, written": ("detect hopper.jpg --crops {tmp}/crops --annotate {tmp}/all.png --json", 0),
    "verify": ("verify collins.jpg hopper.jpg --json", 0),
    "verify, one line": ("verify collins.jpg hopper.jpg --format jsonl", 0),
    "verify, --no-detect": ("verify collins.jpg hopper.jpg --no-detect --metric cosine --threshold 0.1 --json", 0),
    "verify, several": ("verify collins.jpg hopper.jpg --recognizer dlib-resnet,mobilefacenet-112x96 --json", 0),
    "verify, like another": ("verify collins.jpg hopper.jpg --preset face_recognition --json", 0),
    "verify, many": ("verify collins.jpg hopper.jpg missing.jpg collins_variant.jpg --json", 1),
    "verify, many, lines": ("verify collins.jpg . --preset facecli-0.1 --format jsonl", 0),
    "verify, many, several": ("verify collins.jpg . --recognizer dlib-resnet,mobilefacenet-112x96 --json", 0),
    "verify, many, anti-spoof": ("verify collins.jpg . --anti-spoof --json", 0),
    "compare": ("compare {tmp}/faces.npz {tmp}/faces.npz --json", 0),
    "compare, lines": ("compare {tmp}/faces.npz {tmp}/faces.npz --matches --format jsonl", 0),
    "embed, like another": ("embed collins.jpg --preset face_recognition --json", 0),
    "detect, like another": ("detect collins.jpg --preset face_recognition --json", 0),
    "emotion, like another": ("emotion collins.jpg --preset face_recognition --json", 0),
    "evaluate, like another": ("evaluate {tmp}/pair.csv --root . --preset face_recognition --json", 0),
    "calibrate": ("calibrate {tmp}/own/pairs.csv --root {tmp}/own --fmr 0.4 --flip --json", 1),
    "calibrate --by": (
        "calibrate {tmp}/own/pairs.csv --root {tmp}/own --fmr 0.4 --by group --worst --json",
        1,
    ),
    "calibrate --list": ("calibrate --list --json", 0),
    "calibrate --remove": ("calibrate --remove kept --json", 0),
    "embed": ("embed collins.jpg missing.jpg --json", 1),
    "embed, lines": ("embed collins.jpg hopper.jpg --format jsonl", 0),
    "embed, file": ("embed collins.jpg --no-detect -o {tmp}/faces.npz --json", 0),
    "emotion": ("emotion collins.jpg missing.jpg --json", 1),
    "emotion, lines": ("emotion collins.jpg --labels happy,sad --annotate {tmp}/x.png --format jsonl", 0),
    "analyze": ("analyze collins.jpg hopper.jpg --json", 0),
    "analyze, lines": ("analyze collins.jpg --no-detect --format jsonl", 0),
    "analyze, a number": ("analyze collins.jpg --attributes emotion,brightness/example --json", 0),
    "analyze, measured": ("analyze collins.jpg -a spoof,pose,quality --json", 0),
    "analyze, only measured, no landmarks": ("analyze collins.jpg -a quality --detector haar --json", 0),
    "analyze, embedded": ("analyze collins.jpg missing.jpg -a emotion,pose --embed --json", 1),
    "analyze, embedded, lines": ("analyze collins.jpg --embed --no-detect --format jsonl", 0),
    "verify, anti-spoof": ("verify collins.jpg collins_variant.jpg --anti-spoof --json", 0),
    "evaluate": ("evaluate {tmp}/pairs.csv --root . --json", 1),
    "evaluate, little": ("evaluate {tmp}/pair.csv --root . --json", 0),
    "evaluate --by": ("evaluate {tmp}/own/pairs.csv --root {tmp}/own --by group --json", 1),
    "evaluate --impostors": ("evaluate --impostors {tmp}/own/people.csv --root {tmp}/own --by group --json", 0),
    "evaluate-detection": ("evaluate-detection --root . --ground-truth {tmp}/subsets.json --json", 1),
    "evaluate-detection, no scores": (
        "evaluate-detection --root . --ground-truth {tmp}/faces.json --detector haar --json",
        0,
    ),
    "evaluate-tracking": ("evaluate-tracking {tmp}/boxes.txt {tmp}/boxes.txt --json", 0),
    "enroll": ("enroll {tmp}/people --gallery {tmp}/new.db --json", 1),
    "enroll, lines": ("enroll {tmp}/people --gallery {tmp}/new.db --format jsonl", 1),
    "identify": ("identify collins.jpg missing.jpg --gallery {tmp}/staff.db --threshold 0.3 --top 2 --json", 1),
    "identify, lines": ("identify hopper.jpg --gallery {tmp}/staff.db --threshold 0.3 --format jsonl", 0),
    "cluster": ("cluster collins.jpg collins_variant.jpg hopper.jpg missing.jpg --json", 1),
    "cluster, sorted, with a gallery": ("cluster . --gallery {tmp}/staff.db -o {tmp}/sorted --mode link --json", 0),
    "cluster, stored": ("cluster {tmp}/faces.npz --threshold 0.2 --format jsonl", 0),
    "evaluate-identification": (
        "evaluate-identification {tmp}/groups --strangers . --templates 1 --splits 2 --json",
        1,
    ),
    "gallery list": ("gallery list --gallery {tmp}/staff.db --json", 0),
    "gallery show": ("gallery show grace --gallery {tmp}/staff.db --json", 0),
    "gallery rename": ("gallery rename grace Ada --gallery {tmp}/staff.db --json", 0),
    "gallery undo": ("gallery undo --gallery {tmp}/staff.db --dry-run --json", 0),
    "gallery calibrate": ("gallery calibrate --gallery {tmp}/crowd.db --fpir 0.1 --json", 0),
    "gallery lookalikes": ("gallery lookalikes --gallery {tmp}/crowd.db --json", 0),
    "gallery migrate": (
        "gallery migrate --recognizer dlib-resnet --pictures {tmp}/own --gallery {tmp}/staff.db --json",
        0,
    ),
    "gallery migrate, failed": (
        "gallery migrate --recognizer dlib-resnet --pictures {tmp}/people --gallery {tmp}/staff.db --json",
        1,
    ),
    "gallery export": ("gallery export {tmp}/people.npz --gallery {tmp}/staff.db --json", 0),
    "gallery import": ("gallery import {tmp}/crowd.npz --gallery {tmp}/crowd.db --json", 1),
    "gallery verify": ("gallery verify --gallery {tmp}/staff.db --json", 0),
    "gallery compact": ("gallery compact --gallery {tmp}/staff.db --json", 0),
    "serve, a key": ("serve --keys {tmp}/keys.json --add-key phone --scope identify --json", 0),
    "gallery backup": ("gallery backup {tmp}/copy.db --gallery {tmp}/staff.db --json", 0),
    "gallery remove": ("gallery remove grace --yes --gallery {tmp}/staff.db --json", 0),
    "anonymize": ("anonymize collins.jpg missing.jpg -o {tmp}/hidden --check --json", 1),
    "anonymize, lines": ("anonymize hopper.jpg -o {tmp}/hidden.png --method mask --format jsonl", 0),
    "plugins list": ("plugins list --json", 0),
    "plugins info": ("plugins info mtcnn --json", 0),
    "plugins check": ("plugins check haar --json", 0),
    "models list": ("models list --json", 0),
    "models info, recognizer": ("models info dlib-resnet --json", 0),
    "models info, detector": ("models info mtcnn --json", 0),
    "models info, registered": (f"models info {EMOTION} --json", 0),
    "models path": ("models path mtcnn --json", 0),
    "models verify": ("models verify --json", 0),
    "models pull": ("models pull mtcnn --json", 0),
    "models pull, failed": ("--offline models pull mobilefacenet --json", 4),
    "models rm": (f"models rm {EMOTION} --json", 0),
    "models prune": ("models prune --json", 0),
    "models export-bundle": ("models export-bundle {tmp}/made.zip --json", 0),
    "models import-bundle": ("models import-bundle {tmp}/bundle.zip --json", 0),
    "doctor": ("--no-plugins doctor --json", 0),
    "doctor, broken plugins": ("doctor --json", 4),
    "export --list": ("export --list --json", 0),
    "export --embed-preprocessing": (f"export {EMOTION} --embed-preprocessing --output {{tmp}}/edge --json", 0),
    "export --bundle": ("export --bundle {tmp}/edge --attributes emotion --json", 0),
    "error, input": ("verify collins.jpg missing.jpg --json", 1),
    "error, usage": ("detect --json --no-such-option", 2),
    "error, model": ("models info unknown --json", 4),
}
# What may be left out, and the maps whose keys are names that the schema does not know.
OPTIONAL = {
    *("preset", "written", "rotated", "embedding", "detect", "emotion", "age", "gender", "brightness"),
    *("pose", "quality", "spoof", "anti_spoof", "real_a", "real_b", "groups", "closest"),
}
MAPS = {"probabilities", "attributes", "equivalents", "sources", "selftests", "outputs"}
FREE = {"parameters", "registered", "description"}  # whose content is anyone's
# Documents that facecli writes for itself, into the user's folder.
PRIVATE = {"model", "operating-point"}


def schema_of(document: dict[str, Any]) -> Draft202012Validator:
    """The schema that a document names."""
    name = re.fullmatch(r"facecli\.(.+)/\d", document["schema"])
    assert name, document["schema"]
    return Draft202012Validator({"$ref": f"{name[1]}.json"}, registry=RESOURCES)


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory) -> dict[str, str]:
    """An environment with an emotion model, which is made here, and with the example plugin's attribute."""
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")
    home, site = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("site")
    _register(onnx, ModelStore(home), EMOTION, 1, 64, 7, softmax=True)
    for model_id in ("minifasnet-v2", "minifasnet-v1se"):
        _register(onnx, ModelStore(home), model_id, 3, 80, 3, softmax=False)
    _register_recognizer(onnx, ModelStore(home))
    _keep_points(home)
    info = site / "brightness-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: brightness\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[facecli.attributes]\nbrightness/example = facecli_example.brightness\n")
    places = [site, ROOT / "examples" / "facecli-example-plugin", ROOT / "tests" / "fakes"]
    return {"FACECLI_HOME": str(home), "PYTHONPATH": os.pathsep.join(map(str, places))}


def _register(
    onnx: Any, store: ModelStore, model_id: str, channels: int, side: int, classes: int, *, softmax: bool
) -> None:
    """A tiny network in a model's place."""
    spec = catalogue.load(model_id)
    weights = np.random.default_rng(0).normal(0, 1e-4, (channels * side * side, classes)).astype(np.float32)
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Flatten", ["crops"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits" if softmax else "rows"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["rows"], axis=1))
    crops = helper.make_tensor_value_info("crops", float32, ["N", channels, side, side])
    rows = helper.make_tensor_value_info("rows", float32, ["N", classes])
    graph = helper.make_graph(nodes, "tiny", [crops], [rows], [onnx.numpy_helper.from_array(weights, "weights")])
    path = store.root / spec.files[0].name
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]), path)
    store.register(model_id, [path], {"recipe": "tiny"})
    origin = {"sources": {path.name: "a test"}, "licence": "MIT", "facecli": __version__}
    model_records.write(store.layout.fetched(model_id), model_id, store.registration(model_id)["files"], origin)


def _register_recognizer(onnx: Any, store: ModelStore) -> None:
    spec = catalogue.load("mobilefacenet-112x96")
    weights = np.random.default_rng(0).normal(0, 0.01, (3 * 112 * 96, 128)).astype(np.float32)
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Flatten", ["crops"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["rows"]),
    ]
    crops = helper.make_tensor_value_info("crops", float32, ["N", 3, 112, 96])
    rows = helper.make_tensor_value_info("rows", float32, ["N", 128])
    graph = helper.make_graph(nodes, "tiny", [crops], [rows], [onnx.numpy_helper.from_array(weights, "weights")])
    path = store.root / spec.files[0].name
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]), path)
    store.register(spec.id, [path], {"recipe": "tiny"})


def _keep_points(home: Path) -> None:
    """Two operating points that hold for no recognizer there is."""
    identity = {"recognizer": "gone", "detector": "mtcnn", "parameters": {}}
    point = OperatingPoint("cosine", 0.5, "a test", "no data", 0.01, 0.1)
    for name in ("kept", "other"):
        OperatingPointStore(home).save(
            UserOperatingPoint(name, identity, point, "2026-01-01T00:00:00+00:00", {"note": None})
        )


def _enroll_crowd(path: Path) -> None:
    """A gallery of 20 people who do not exist, two templates each."""
    store, rng = GalleryStore(path, create=True), np.random.default_rng(0)
    space = Space({"recognizer": "made-up", "detector": "yunet"}, 8)
    for number in range(40):
        embedding = rng.normal(size=8).astype(np.float32)
        face = NewFace(bytes([number]) * 32, f"{number}.jpg", 64, 64, None, None, None, embedding)
        store.add(f"person {number % 20}", face, space)
    export(store, path.with_suffix(".npz"))
    rename(store, store.person("person 3"), "another name")
    store.close()


def _copy_groups(own: Path, people: Path) -> None:
    """Two people with three pictures each, and one that is none."""
    for name in ("collins", "hopper"):
        (people / name).mkdir(parents=True)
        for number in range(3):
            shutil.copy(own / f"{name}{number}.jpg", people / name)
    (people / "hopper" / "damaged.jpg").write_bytes(b"no picture")


@pytest.fixture
def documents(run_cli, surroundings, examples, tmp_path) -> Callable[[str], list[dict[str, Any]]]:
    """The JSON documents of one of RUNS."""
    head, mated, other = "file_a,file_b,same\n", "collins.jpg,collins_variant.jpg,1\n", "collins.jpg,hopper.jpg,0\n"

    def own_store() -> dict[str, str]:
        """A copy of the store, for commands that change it, with something to prune and a bundle to import."""
        home = shutil.copytree(surroundings["FACECLI_HOME"], tmp_path / "home")
        (home / "partial").mkdir(exist_ok=True)
        (home / "partial" / "cut.part").write_bytes(b"x")
        export_bundle(ModelStore(home), [catalogue.load(EMOTION)], tmp_path / "bundle.zip")
        return surroundings | {"FACECLI_HOME": str(home)}

    (tmp_path / "pair.csv").write_text(head + mated)
    (tmp_path / "pairs.csv").write_text(head + mated * 10 + other * 100 + "collins.jpg,CREDITS.md,0\n")

    own = tmp_path / "own"
    own.mkdir()
    (own / "empty.jpg").touch()
    for name in ("collins", "collins_variant", "hopper"):
        for number in range(3):
            shutil.copy(examples / f"{name}.jpg", own / f"{name}{number}.jpg")
    others = "".join(f"collins{a}.jpg,hopper{b}.jpg,0,A\n" for a in range(3) for b in range(3))
    rows = f"collins0.jpg,collins_variant0.jpg,1,A\n{others}collins0.jpg,empty.jpg,0,\n"
    (own / "pairs.csv").write_text(f"file_a,file_b,same,group\n{rows}")
    (own / "people.csv").write_text("file,group\ncollins0.jpg,A\nhopper0.jpg,A\ncollins_variant0.jpg,B\n")

    def stored() -> None:
        file = tmp_path / "faces.npz"
        embedded = run_cli("embed", "collins.jpg", "hopper.jpg", "-o", file, cwd=examples, env=surroundings)
        assert embedded.returncode == 0, embedded.stderr

    (tmp_path / "people" / "Collins").mkdir(parents=True)
    shutil.copy(examples / "collins.jpg", tmp_path / "people" / "Collins")
    (tmp_path / "people" / "Collins" / "damaged.jpg").write_bytes(b"no picture")

    _copy_groups(own, tmp_path / "groups")

    (tmp_path / "boxes.txt").write_text("1,1,10,10,40,40,1\n2,1,12,10,40,40,1\n")
    faces = {"collins.jpg": {"boxes_xywh": [[180, 60, 90, 115]]}}
    (tmp_path / "faces.json").write_text(json.dumps(faces))
    subsets = {"easy": [0], "medium": [0], "hard": [0]}
    both = {"collins.jpg": faces["collins.jpg"] | subsets, "CREDITS.md": faces["collins.jpg"]}
    (tmp_path / "subsets.json").write_text(json.dumps(both))

    def run(name: str) -> list[dict[str, Any]]:
        line, status = RUNS[name]
        env = own_store() if "models " in line else surroundings
        if line.startswith(("compare", "cluster {tmp}")):
            stored()
        if "staff.db" in line:
            enroll = ("enroll", "hopper.jpg", "--name", "Grace", "--gallery", tmp_path / "staff.db")
            assert run_cli(*enroll, cwd=examples, env=env).returncode == 0
            rename = ("gallery", "rename", "grace", "Grace", "--gallery", tmp_path / "staff.db")
            assert "undo" not in line or run_cli(*rename, env=env).returncode == 0
        if "crowd.db" in line:
            _enroll_crowd(tmp_path / "crowd.db")
        done = run_cli(*line.format(tmp=tmp_path).split(), cwd=examples, env=env)
        assert done.returncode == status, done.stderr
        return done.jsonl if "jsonl" in line else [done.json]

    return run


def changes(value: Any, path: str = "$") -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Ways to spoil a document: a key too many, a key too few, a value of the wrong type; each at every place."""
    wrong = {"surprise": ["?"]}
    if isinstance(value, dict):
        yield f"{path} has a key too many", lambda top: _at(top, path).update(wrong)
        for key, inner in value.items():
            own = f"{path}/{key}"
            if key not in OPTIONAL and path.rpartition("/")[2] not in MAPS:
                yield f"{own} is missing", lambda top, key=key: _at(top, path).pop(key)
            if key not in FREE:
                yield f"{own} has a wrong type", lambda top, key=key: _at(top, path).update({key: wrong})
                yield from changes(inner, own)
    elif isinstance(value, list):
        yield f"{path} has a wrong item", lambda top: _at(top, path).append(wrong)
        for number, inner in enumerate(value[:1]):
            yield from changes(inner, f"{path}/{number}")


def _at(top: Any, path: str) -> Any:
    for key in path.split("/")[1:]:
        top = top[int(key) if isinstance(top, list) else key]
    return top


def accepted_changes(document: dict[str, Any]) -> list[str]:
    """The changes that a document's schema does not notice."""
    accepted = []
    for what, change in changes(document):
        spoilt = copy.deepcopy(document)
        change(spoilt)
        if schema_of(document).is_valid(spoilt):
            accepted.append(what)
    return accepted


@pytest.mark.parametrize("name", RUNS)
def test_output_is_as_its_schema_says_and_with_any_change_it_is_not(documents, name):
    found = documents(name)
    for document in found:
        schema_of(document).validate(document)
    assert accepted_changes(found[0]) == []


@pytest.mark.usefixtures("torch")
def test_export_is_as_its_schema_says(run_cli, tmp_path):
    done = run_cli("export", "mtcnn", "--no-register", "--output", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    schema_of(done.json).validate(done.json)
    reports = [json.loads(path.read_text("utf-8")) for path in (tmp_path / "out").glob("*.report.json")]
    assert len(reports) == 3
    for report in reports:
        schema_of(report).validate(report)


def test_reports_of_edge_files_are_as_their_schema_says(documents):
    (document,) = documents("export --embed-preprocessing")
    report = json.loads(Path(document["edge"][0]["report"]).read_text("utf-8"))
    schema_of(report).validate(report)


def test_the_manifest_of_a_models_bundle_is_as_its_schema_says(surroundings, tmp_path):
    store, spec = ModelStore(Path(surroundings["FACECLI_HOME"])), catalogue.load(EMOTION)
    asking.record_missing(store, spec)
    export_bundle(store, [spec], tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["schema"] == "facecli.models-bundle/1"
    assert len(manifest["selftests"]) == 1
    schema_of(manifest).validate(manifest)
    assert accepted_changes(manifest) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_a_schema(name):
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_every_output_has_a_schema_and_every_schema_an_output():
    files = [path for house in ("facecli", "export", "models") for path in ROOT.glob(f"{house}/**/*.py")]
    code = "".join(path.read_text("utf-8") for path in files)
    written = set(re.findall(r'header\(\s*"([a-z.-]+)"', code)) | set(re.findall(r'"facecli\.([a-z.-]+)/1"', code))
    shared = {"emotion", "analyze"}  # by code that takes the name
    assert (written - PRIVATE) | shared == set(SCHEMAS) - {"common", "serve"}  # the server's are tried in tests/server


def test_every_error_code_is_in_the_schema():
    def below(error: type[errors.FacecliError]) -> Iterator[str]:
        yield error.code
        for child in error.__subclasses__():
            yield from below(child)

    assert set(below(errors.FacecliError)) == set(SCHEMAS["common"]["$defs"]["error"]["properties"]["code"]["enum"])
