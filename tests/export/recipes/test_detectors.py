"""Recipes retinaface and yunet: the states load strictly, and the files give the faces that the source gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facecli.cli import main
from facecli.cli.wording import option
from facecli.contract import DetectorPlugin
from facecli.errors import ExportError
from facecli.export.recipes import retinaface, yunet
from facecli.export.weights.source import sha256
from facecli.geometry import overlap
from facecli.hosting.registry import Registry
from facecli.models import catalogue
from facecli.testing import run_checks
from facecli.types import Image

onnx = pytest.importorskip("onnx")
RECIPES = {"retinaface": retinaface, "yunet": yunet}


def seeded(torch: Any, name: str, path: Path) -> Path:
    """A state of the network with seeded random weights, as its publisher saves it."""
    from facecli.export.networks.retinaface import RetinaFace
    from facecli.export.networks.yunet import YuNet

    torch.manual_seed(5)
    state = (RetinaFace() if name == "retinaface" else YuNet()).state_dict()
    torch.save(state if name == "retinaface" else {"meta": {}, "state_dict": state, "optimizer": {}}, path)
    return path


def exported(name: str, weights: Path, folder: Path) -> Path:
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    (recipe,) = RECIPES[name].facecli_export_recipes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retinaface, "SHA256", sha256(weights))
        (file,) = export_recipe(ExportRequest(recipe=recipe, weights=weights), folder).files
    assert file.exporter == "torch.export"
    assert file.path.name == catalogue.load(recipe.model).files[0].name
    return file.path


@pytest.mark.parametrize("name", RECIPES)
def test_seeded_weights_are_exported_with_free_axes(torch: Any, tmp_path: Path, name: str) -> None:
    from facecli.inference.session import open_session

    session = open_session(exported(name, seeded(torch, name, tmp_path / "state.pth"), tmp_path))
    assert [*session.input_shapes.values()] == [(None, 3, None, None)]
    (key,) = session.input_shapes
    outputs = session.run({key: np.zeros((2, 3, 64, 96), np.float32)})
    rows = 64 * 96 * (1 / 64 + 1 / 256 + 1 / 1024)
    if name == "retinaface":
        assert {key: value.shape for key, value in outputs.items()} == {
            "boxes": (2, 2 * rows, 4),
            "scores": (2, 2 * rows, 2),
            "landmarks": (2, 2 * rows, 10),
        }
    else:
        assert outputs["kps_8"].shape == (2, 96, 10)
        assert list(outputs)[::3] == ["cls_8", "obj_8", "bbox_8", "kps_8"]


@pytest.mark.parametrize("name", RECIPES)
def test_another_state_is_refused(torch: Any, tmp_path: Path, name: str) -> None:
    other = seeded(torch, "yunet" if name == "retinaface" else "retinaface", tmp_path / "other.pth")
    with pytest.raises(ExportError, match=r"other\.pth is no state of this network"):
        RECIPES[name].build(other)
    with pytest.raises(ExportError) as caught:
        RECIPES[name].build(None)
    assert "come in no package; --weights FILE" in caught.value.text(option)


def test_other_weights_for_the_same_tensors_are_refused(torch: Any, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"state\.pth is not the expected file: its sha256 is"):
        retinaface.build(seeded(torch, "retinaface", tmp_path / "state.pth"))


@pytest.mark.parametrize(("name", "file"), [("retinaface", "retinaface_mobilenet0.25.pth"), ("yunet", "yunet_n.pth")])
def test_the_published_weights_through_the_command_line(
    torch: Any, name: str, file: str, shared: Path, examples: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path / "home"))
    out = tmp_path / "out"

    def facecli(*arguments: Any) -> Any:
        status = main.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert (status, said.err) == (0, "")
        return json.loads(said.out)

    # One on the portraits, one on pictures that the user gives.
    samples = ("--samples", examples) if name == "yunet" else ()
    told = facecli("export", name, "--weights", shared / "models" / file, *samples, "-o", out, "--json")
    (made,) = told["files"]
    assert (made["exporter"], told["registered"]) == ("torch.export", True)
    found = made["detection"]
    assert (found["detector"], found["data"]) == (name, "samples" if samples else "portraits")
    assert found["pictures"] == (3 if samples else 10)
    assert found["faces"] >= (3 if samples else 8)
    assert found["iou"] >= 0.99
    assert found["landmarks"] <= 0.5
    report = json.loads((out / made["file"]).with_suffix(".report.json").read_text())
    assert report["detection"] == found
    assert report["axes"]["inputs"].popitem()[1] == ["batch", 3, "height", "width"]
    assert all(axes[0] == "batch" and isinstance(axes[1], str) for axes in report["axes"]["outputs"].values())

    model = told["model"].partition("/")[2]
    line = ("detect", examples / "collins.jpg", "--detector", name, "--parameter", f"{name}.model={model}", "--json")
    document = facecli(*line)
    assert document["images"][0]["faces_found"] == 1
    assert document["detector"]["models"][0]["files"][0]["sha256"] == made["sha256"]
    handed_on = facecli("models", "add", out / made["file"], "--name", "handed-on", "--json")
    assert handed_on["use"] == "--detector handed-on"  # the file's metadata says who reads its outputs
    again = facecli("detect", examples / "collins.jpg", "--detector", "handed-on", "--json")
    assert again["images"][0]["faces"] == document["images"][0]["faces"]
    if name == "yunet":
        _gives_what_the_published_files_give(out / made["file"], shared / "models")


def test_a_detector_in_int8_is_calibrated_on_pictures(torch: Any, shared: Path, tmp_path: Path) -> None:
    from facecli.export.proof import samples as samples_module
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe
    from facecli.export.target import Target

    def pictures() -> list[Image]:
        return samples_module.pictures() * 2

    def no_crops(_: Any) -> Any:
        raise AssertionError("a detector takes no crops")

    weights = shared / "models" / "yunet_n.pth"
    (recipe,) = yunet.facecli_export_recipes()
    plugin = Registry(third_party=False).load("detectors", "yunet", DetectorPlugin)
    few = Target("int8", calibration=no_crops, pictures=lambda: pictures()[:15])
    with pytest.raises(ExportError, match="a detector's calibration needs 16 pictures, 15 were found"):
        export_recipe(ExportRequest(recipe=recipe, weights=weights, target=few, detector=plugin), tmp_path)
    target = Target("int8", calibration=no_crops, pictures=pictures)
    request = ExportRequest(recipe=recipe, weights=weights, target=target, detector=plugin)
    (file,) = export_recipe(request, tmp_path).files
    assert (file.path.name, file.kind) == ("yunet_n.int8.onnx", "int8")
    assert "20 pictures, last layers in float32" in file.steps[-1]
    assert file.detection is not None
    assert 0.75 <= file.detection.iou < 0.9999
    assert file.detection.faces >= 8
    assert 0.01 < (file.detection.landmarks or 0) <= 6
    quantized = [node for node in onnx.load(file.path).graph.node if node.op_type == "QuantizeLinear"]
    assert len(quantized) > 20


def _gives_what_the_published_files_give(path: Path, published: Path) -> None:
    from facecli.inference.session import open_session

    ours = open_session(path)
    for theirs, sizes in (("yunet_n_dynamic.onnx", ((96, 160), (320, 256))), ("yunet_n_640_640.onnx", ((640, 640),))):
        session = open_session(published / theirs)
        for height, width in sizes:
            pixels = np.random.default_rng(height).integers(0, 256, (1, 3, height, width)).astype(np.float32)
            a, b = ours.run({"input": pixels}), session.run({"input": pixels})
            assert list(a) == list(b)
            for name, values in a.items():
                np.testing.assert_allclose(values, b[name], rtol=0, atol=2e-5)


class InTorch:
    """A runtime whose one session is a recipe's network, run by PyTorch itself."""

    threads = 1

    def __init__(self, torch: Any, name: str, weights: Path) -> None:
        (self._part,) = RECIPES[name].build(weights)
        self._torch = torch
        self.input_shapes = {self._part.input_names[0]: (None, 3, None, None)}

    def session(self, *_: Any, **__: Any) -> InTorch:
        return self

    def run(self, feeds: dict[str, Any]) -> dict[str, Any]:
        with self._torch.inference_mode():
            outputs = self._part.module(*(self._torch.from_numpy(array) for array in feeds.values()))
        return {name: output.numpy() for name, output in zip(self._part.output_names, outputs, strict=True)}


def test_retinaface_gives_what_the_pytorch_original_gives(torch: Any, shared: Path, examples: Path) -> None:
    """The plugin with the original's weights, against a decoder of the paper's written for PyTorch."""
    weights = shared / "models" / "retinaface_mobilenet0.25.pth"
    plugin = Registry(third_party=False).load("detectors", "retinaface", DetectorPlugin)
    runtime = InTorch(torch, "retinaface", weights)
    bgr = cv2.imread(str(examples / "collins.jpg"))
    bgr = np.vstack([np.hstack([bgr, bgr[:, ::-1]]), np.zeros((128, 1024, 3), np.uint8)])
    bgr = cv2.resize(bgr, (640, 400))
    picture = Image(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), "two")
    (found,) = plugin.load(runtime, {}).detect([picture])
    boxes, scores, points = in_torch(torch, weights, np.vstack([bgr, np.zeros((16, 640, 3), np.uint8)]))
    assert len(found) == len(boxes) == 2
    match = overlap(boxes, found.bboxes).argmax(1)
    assert overlap(boxes, found.bboxes).max(1).min() >= 0.99
    np.testing.assert_allclose(found.scores[match], scores, atol=1e-4)
    np.testing.assert_allclose(found.landmarks[match], points, atol=0.05)
    results = run_checks(plugin, picture=picture, runtime=runtime)
    assert [result for result in results if not result.passed] == []
    assert len(results) >= 9


def in_torch(torch: Any, weights: Path, bgr: Any) -> tuple[Any, Any, Any]:
    """Prior boxes over the whole picture in parts of it, variances 0.1 and 0.2, and a plain suppression."""
    from facecli.export.networks.retinaface import RetinaFace

    network = RetinaFace().eval()
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    height, width = bgr.shape[:2]
    pixels = torch.from_numpy(bgr).float() - torch.tensor([104.0, 117.0, 123.0])
    with torch.inference_mode():
        offsets, classes, moves = (rows[0] for rows in network(pixels.permute(2, 0, 1)[None]))
    priors = []
    for step, sides in ((8, (10, 20)), (16, (32, 64)), (32, (128, 256))):
        y, x = torch.meshgrid(torch.arange(height // step), torch.arange(width // step), indexing="ij")
        centres = torch.stack([(x + 0.5) * step / width, (y + 0.5) * step / height], -1).reshape(-1, 1, 2)
        shapes = torch.tensor([[side / width, side / height] for side in sides])
        priors.append(torch.cat([centres.expand(-1, 2, 2), shapes.expand(len(centres), 2, 2)], -1).reshape(-1, 4))
    prior = torch.cat(priors)
    centre = prior[:, :2] + offsets[:, :2] * 0.1 * prior[:, 2:]
    shape = prior[:, 2:] * torch.exp(offsets[:, 2:] * 0.2)
    size = torch.tensor([width, height], dtype=torch.float32)
    boxes = torch.cat([(centre - shape / 2) * size, (centre + shape / 2) * size], 1)
    points = (prior[:, None, :2] + moves.reshape(-1, 5, 2) * 0.1 * prior[:, None, 2:]) * size
    kept: list[int] = []
    for row in torch.argsort(-classes[:, 1]).tolist():
        if classes[row, 1] < 0.8:
            break
        own = boxes[row][None].numpy()
        if not kept or overlap(own, boxes[kept].numpy()).max() <= 0.4:
            kept.append(row)
    return boxes[kept].numpy(), classes[kept, 1].numpy(), points[kept].numpy()
