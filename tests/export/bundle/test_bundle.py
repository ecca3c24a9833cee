"""A bundle: all that an edge program needs, and a Python runner that decides as the command line does."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from facecli.export.bundle import licences, manifest, runner
from facecli.models import catalogue
from facecli.pictures.codec import decode
from facecli.types import Limits

ROOT = Path(__file__).parents[3]
PAIRS = [("collins", "collins_variant"), ("hopper", "collins")]
# A detector whose decoding is in its graph, and the one whose decoding is in the runners.
DEFAULT, CASCADE = ("yunet/2023mar", "sface"), ("mtcnn", "dlib-resnet")


def options(models: tuple[str, str]) -> list[str]:
    """What chooses a detector's and a recognizer's models on the command line."""
    return ["--detector", models[0].partition("/")[0], "--recognizer", models[1]]


@pytest.fixture(scope="module", params=[DEFAULT, CASCADE], ids=["default", "cascade"])
def models(request) -> tuple[str, str]:
    """The detector's and the recognizer's model of the bundle."""
    return request.param


@pytest.fixture(scope="module")
def bundle(models, cli_env, tmp_path_factory) -> Path:
    """A bundle of models that every installation has: the default one, and the one with mtcnn."""
    pytest.importorskip("onnx", reason="an edge file needs onnx")
    folder = tmp_path_factory.mktemp("bundle") / "made"
    words = [] if models == DEFAULT else options(models)
    command = [sys.executable, "-m", "facecli", "export", "--bundle", folder, *words, "--json"]
    done = subprocess.run(command, env=cli_env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["bundle"]
    assert told["path"] == str(folder)
    assert (told["detector"], told["recognizer"]) == models
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert (told["files"], told["size"]) == (len(files), sum(path.stat().st_size for path in files))
    return folder


def pixels(path):
    return decode(path.read_bytes(), str(path), Limits()).pixels


def test_manifest_is_as_its_schema_says_and_every_file_is_what_it_says(bundle, models):
    found = json.loads((bundle / "manifest.json").read_text())
    schema = json.loads((ROOT / "docs" / "schemas" / "bundle.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(found)
    for file in [*found["detector"]["files"], found["recognizer"]["file"]]:
        content = (bundle / file["path"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])
    spec = catalogue.load(models[1])
    point = found["recognizer"]["operating_point"]
    assert point["threshold"] == spec.operating_point.threshold
    assert [tuple(pair) for pair in point["by_fmr"]] == list(spec.operating_point.by_fmr)
    assert found["recognizer"]["crop"]["template"] == [list(point) for point in spec.crop.template]


def test_licences_travel_along(bundle, models):
    cards = ROOT / "models" / "cards"
    own = [f"LICENSE-{model.replace('/', '-')}" for model in models]
    for name in own:
        assert (bundle / "licences" / name).read_bytes() == (cards / name).read_bytes()
    assert (bundle / "licences" / "Apache-2.0.txt").read_bytes() == (ROOT / "LICENSE").read_bytes()
    told = (bundle / "licences" / "LICENCES.md").read_text()
    assert f"| {models[0]} | MIT | yes | [{own[0]}]({own[0]}) |" in told
    licence = catalogue.load(models[1]).licence
    assert f"| {models[1]} | {licence} | yes | [{own[1]}]({own[1]}), [{licence}.txt]({licence}.txt) |" in told
    entries = json.loads((bundle / "manifest.json").read_text())["licences"]
    assert [entry["texts"] for entry in entries] == [
        [f"licences/{own[0]}"],
        [f"licences/{own[1]}", f"licences/{licence}.txt"],
    ]
    assert all((bundle / text).stat().st_size > 100 for entry in entries for text in entry["texts"])


def licensed(model_id, folder, **changes):
    """The texts that a bundle with this model has for it."""
    spec = dataclasses.replace(catalogue.load(model_id), **changes)
    (names,) = licences.write_licences([spec], folder / "licences").values()
    return [(folder / name).read_text() for name in names]


def test_every_model_under_a_standard_licence_has_its_text(tmp_path):
    standard = {
        "MIT": "The above copyright notice and this permission notice shall be included",
        "GPL-3.0": "Version 3",
    }
    standard |= {"Apache-2.0": "Apache License", "CC0-1.0": "CC0 1.0 Universal"}
    seen = set()
    for number, model_id in enumerate(catalogue.model_ids()):
        spec = catalogue.load(model_id)
        if spec.licence in standard:
            (tmp_path / str(number)).mkdir()
            assert standard[spec.licence] in "".join(licensed(model_id, tmp_path / str(number))), model_id
            seen.add(spec.licence)
    assert seen == {*standard}


def test_an_mit_text_names_its_holders_or_says_that_they_are_not_known(tmp_path):
    folders = [tmp_path / str(number) for number in range(3)]
    for folder in folders:
        folder.mkdir()
    (text,) = licensed("retinaface/mobilenet0.25", folders[0])
    assert text.startswith("MIT License\n\nCopyright (c) 2019 biubug6\n\nPermission is hereby granted")
    (text,) = licensed("facenet128", folders[1])  # of two projects
    assert "\nCopyright (c) 2019 Sefik Ilkin Serengil\nCopyright (c) 2016 David Sandberg\n" in text
    (text,) = licensed("facenet128", folders[2], source="a friend")
    assert "facecli does not know the line that they wrote: a friend" in text
    assert "{" not in text


def test_a_licence_s_name_is_no_path(tmp_path):
    """It may be what a stranger's file says of itself."""
    (tmp_path / "secret.txt").write_text("mine")
    for number, name in enumerate((str(tmp_path / "secret"), "../texts/GPL-3.0", "onnxruntime-web", "holders", "")):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert licensed("mobilefacenet", folder, licence=name) == []
        assert {path.name for path in (folder / "licences").iterdir()} == {
            "Apache-2.0.txt",
            "LICENCES.md",
            "onnxruntime-web.txt",
        }


def test_a_licence_without_a_text_says_where_to_look(tmp_path):
    assert licensed("scrfd/500m", tmp_path) == []
    told = (tmp_path / "licences" / "LICENCES.md").read_text()
    assert "| **no** | see https://github.com/deepinsight/insightface#license |" in told


def test_runner_imports_numpy_and_onnxruntime_alone(bundle):
    tree = ast.parse((bundle / "runner.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    assert foreign == {"numpy", "onnxruntime"}


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_runner_decides_as_the_command_line_does(pair, bundle, models, examples, run_cli, cli_env, tmp_path):
    for name in pair:
        np.save(tmp_path / f"{name}.npy", pixels(examples / f"{name}.jpg"))
    arrays = [tmp_path / f"{name}.npy" for name in pair]
    command = [sys.executable, "runner.py", *arrays]
    done = subprocess.run(command, cwd=bundle, env=cli_env, capture_output=True, check=True)
    answer = json.loads(done.stdout)
    wanted = run_cli("verify", *(examples / f"{name}.jpg" for name in pair), *options(models), "--json").json
    assert answer["verified"] is wanted["verified"]
    assert answer["similarity"] == pytest.approx(wanted["similarity"], abs=0.01)
    assert answer["distance"] == pytest.approx(wanted["distance"], abs=0.02)
    assert (answer["threshold"], answer["metric"]) == (wanted["threshold"], wanted["metric"])


def test_runner_finds_the_faces_that_detect_finds(bundle, models, group_picture, run_cli):
    # A bundle's detector looks once, at one size: its plugin is told to do the same.
    once = ["-p", "yunet.multi_scale=never", "-p", "yunet.size=640"] if models == DEFAULT else []
    wanted = run_cli("detect", group_picture, *options(models)[:2], *once, "--json").json["images"][0]["faces"]
    found = runner.Bundle(bundle).detect(pixels(group_picture))
    assert len(wanted) == 6
    np.testing.assert_allclose(found.boxes, [face["bbox"] for face in wanted], atol=0.5)
    np.testing.assert_allclose(found.landmarks, [face["landmarks"] for face in wanted], atol=0.5)
    np.testing.assert_allclose(found.scores, [face["score"] for face in wanted], atol=1e-3)


def test_runner_tells_what_it_can_not_do(bundle, examples, tmp_path):
    faces = runner.Bundle(bundle)
    face, blank = pixels(examples / "hopper.jpg"), np.full((200, 100, 3), 127, np.uint8)
    for empty in (blank, blank[:1, :1], blank[:0]):
        assert len(faces.detect(empty).boxes) == 0
    with pytest.raises(ValueError, match="no face found in the second picture"):
        faces.verify(face, blank)
    with pytest.raises(ValueError, match=r"must be \(H, W, 3\) uint8"):
        faces.detect(face.astype(np.float32))

    copy = shutil.copytree(bundle, tmp_path / "copy")
    damaged = copy / json.loads((copy / "manifest.json").read_text())["detector"]["files"][-1]["path"]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="is not the file that the manifest names"):
        runner.Bundle(copy)


def test_crops_are_those_of_the_pipeline(examples):
    from facecli.contract import CropSpec
    from facecli.crops import cutting
    from facecli.types import Detections, Image

    image = Image(pixels(examples / "hopper.jpg"), "hopper")
    template = catalogue.load("dlib-resnet").crop.template
    specs = [CropSpec(150, 150, template), CropSpec(64, 64, square=True, margin=0.2), CropSpec(48, 32, margin=0.5)]
    places = ((0.3, 0.4), (0.7, 0.38), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    # No whole numbers: rounding of a corner that lies on one decides which pixels are averaged together.
    for box in (
        (140.3, 90.1, 300.7, 290.4),
        (-60.2, -20.6, 200.3, 150.9),
        (10.4, 10.2, 500.3, 700.7),
        (2000, 10, 2100, 50),
    ):
        x1, y1, x2, y2 = box
        points = [[x1 + (x2 - x1) * x, y1 + (y2 - y1) * y] for x, y in places]
        boxes, landmarks = np.array([box], np.float32), np.array([points], np.float32)
        wanted = Detections(boxes, np.ones(1, np.float32), landmarks)
        for spec in specs:
            own = {key: getattr(spec, key) for key in manifest.CROP_KEYS}
            found = runner.crop(image.pixels, runner.Faces(boxes, np.ones(1), landmarks), 0, own)
            difference = np.abs(found.astype(int) - cutting.cut(image, wanted, spec)[0])
            assert difference.mean() < 0.5
            assert np.percentile(difference, 99) <= 4


def test_attributes_come_along(run_cli, torch, shared, examples, tmp_path):
    home = {"FACECLI_HOME": str(tmp_path / "home")}
    weights = shared / "models" / "fer2013_mini_xception.hdf5"
    folder = tmp_path / "bundle"
    done = run_cli(
        *("export", "mini-xception", "--weights", weights, "--bundle", folder, "--embed-preprocessing", "--json"),
        env=home,
    )
    assert done.returncode == 0, done.stderr
    assert done.json["bundle"]["attributes"] == ["emotion/mini-xception"]
    found = runner.Bundle(folder)
    assert found.manifest["attributes"][0]["preprocessing"] is None
    assert found.manifest["recognizer"]["preprocessing"] is None
    image = pixels(examples / "collins.jpg")
    answer = found.attributes(image, found.detect(image), 0)["emotion"]
    wanted = run_cli("analyze", examples / "collins.jpg", "--attributes", "emotion/mini-xception", "--json", env=home)
    probabilities = wanted.json["images"][0]["faces"][0]["emotion"]["probabilities"]
    assert list(answer) == list(probabilities)
    for label, value in probabilities.items():
        assert answer[label] == pytest.approx(value, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bundle", "full"], "full is there already"),
        (["--bundle", "new", "--detector", "haar"], "haar"),
        (["--bundle", "new", "--recognizer", "nobody"], "nobody"),
        (["--bundle", "new", "--web-runtime", "full"], "full has no onnxruntime-web"),
        (["--web-runtime", "full", "dlib-resnet"], "--web-runtime is for a bundle"),
        (["dlib-resnet", "--bundle", "new", "--no-register", "--output", "out"], "exclude each other"),
    ],
)
def test_bad_requests_are_one_line_and_leave_nothing(arguments, message, run_cli, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").write_text("kept")
    done = run_cli("export", *arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert len(done.errors) == 1
    assert message in done.errors[0]
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "kept.txt"]


@pytest.mark.parametrize("models", [CASCADE], indirect=True, ids=["cascade"])
def test_wrong_runner_is_found_by_the_proof(bundle, tmp_path):
    from facecli.contract import DetectorPlugin, RecognizerPlugin
    from facecli.errors import ExportError
    from facecli.export.bundle.proof import Tools, prove
    from facecli.hosting.loader import make_runtime
    from facecli.hosting.registry import Registry
    from facecli.models.store import ModelStore

    registry = Registry(third_party=False)
    detector = registry.load("detectors", "mtcnn", DetectorPlugin)
    recognizer = registry.load("recognizers", "dlib-resnet", RecognizerPlugin)
    runtime = make_runtime([detector, recognizer], ModelStore(tmp_path / "home"))
    pair = (recognizer, recognizer.load(runtime, recognizer.parameters))
    tools = Tools(detector.load(runtime, detector.parameters), pair, [])
    assert prove(bundle, tools)["cosine"] > 0.999
    copy = shutil.copytree(bundle, tmp_path / "copy")
    told = json.loads((copy / "manifest.json").read_text())
    told["recognizer"]["preprocessing"]["mean"] = [0.0]
    (copy / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(ExportError, match="embedding"):
        prove(copy, tools)
    told["detector"]["parameters"]["min_face_size"] = 400
    (copy / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(ExportError, match="the bundle finds 0 faces"):
        prove(copy, tools)
