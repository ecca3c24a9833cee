"""An export is proved on real crops, by what its output means, and of a detector by the faces that it finds."""

import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest

from facecli.errors import ExportError
from facecli.export.proof import samples
from facecli.export.proof.tolerances import TOLERANCES, agreement


def export(recipe, folder, **more):
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    return export_recipe(ExportRequest(recipe=recipe, **more), folder)


def test_the_sample_faces_are_where_mtcnn_finds_them():
    from facecli.contract import CropSpec
    from facecli.geometry import overlap
    from facecli.hosting.choice import Choice
    from facecli.hosting.loader import Loader
    from facecli.hosting.registry import Registry
    from facecli.hosting.toolbox import Toolbox
    from facecli.models.store import ModelStore

    tools = Toolbox(Choice("mtcnn"), Loader(Registry(third_party=False), ModelStore(), device="cpu", threads=1))
    images, known = zip(*samples.portraits(), strict=True)
    for found, own in zip(tools.detector.detect(list(images)), known, strict=True):
        assert len(found) == 1
        assert overlap(found.bboxes, own.bboxes)[0, 0] > 0.8
        assert np.abs(found.landmarks - own.landmarks).max() < 6  # a mirrored face is seen a little differently
    crops = samples.crops(CropSpec(40, 30))
    assert crops.shape == (8, 30, 40, 3)
    assert len({crop.tobytes() for crop in crops}) == 8


def test_real_crops_and_random_inputs_are_in_the_report(crop_recipe, tmp_path):
    import onnx

    result = export(crop_recipe(), tmp_path)
    report = json.loads((tmp_path / "small.report.json").read_text())
    tried = {(figure["data"], figure["inputs"][0][0]) for figure in report["parity"]}
    assert tried == {(data, batch) for data in ("random", "portraits") for batch in (1, 3, 8)}
    assert report["task"] == "embedding"
    assert all(figure["meaning"] >= 0.99999 for figure in report["parity"])
    assert result.files[0].worst["embeddings"].meaning >= 0.99999
    told = {entry.key: entry.value for entry in onnx.load(tmp_path / "small.onnx").metadata_props}
    assert told["facecli.kind"] == "recognizer"
    assert json.loads(told["facecli.crop"])["template"][2] == [16, 20]
    assert json.loads(told["facecli.operating_point"])["threshold"] == 0.5


def test_embeddings_that_point_elsewhere_are_found_whatever_the_tolerance(crop_recipe, tmp_path):
    def spoil(module):
        module[-1].bias[0] += 0.3

    recipe = crop_recipe(spoil)
    lenient = replace(recipe, build=lambda w: tuple(replace(part, tolerance=9.0) for part in recipe.build(w)))
    message = r"small\.onnx: output 'embeddings': embeddings have a least cosine -?[0-9.]+, the least is 0\.99999"
    with pytest.raises(ExportError, match=message):
        export(lenient, tmp_path)
    assert list(tmp_path.glob("*.onnx")) == []


def test_another_class_is_found_whatever_the_tolerance(crop_recipe, tmp_path):
    def spoil(module):
        module[-2].bias[5] += 3

    recipe = crop_recipe(spoil, kind="attribute")
    lenient = replace(recipe, build=lambda w: tuple(replace(part, tolerance=9.0) for part in recipe.build(w)))
    with pytest.raises(ExportError, match=r"'probabilities': part of equal classes is 0[0-9.]*, the least is 1,"):
        export(lenient, tmp_path)


def test_crops_that_do_not_fit_the_network_are_told(crop_recipe, tmp_path):
    from facecli.contract import CropSpec

    recipe = crop_recipe()
    wrong = replace(recipe, spec=replace(recipe.spec, crop=CropSpec(40, 32)))
    with pytest.raises(ExportError, match=r"crops make \(3, 32, 40\), the network takes \(3, 32, 32\)"):
        export(wrong, tmp_path)


def test_meaning():
    a = np.array([[3, 4], [1, 0]], np.float32)
    assert agreement("embedding", a, 2 * a) == pytest.approx(1)
    assert agreement("embedding", a, a[:, ::-1]) == pytest.approx(0)
    assert agreement("embedding", a, 0 * a) == 0
    assert agreement("classification", a, a[:, ::-1]) == 0
    assert agreement("values", a, a) is None


@pytest.fixture(scope="module")
def networks(torch):
    """mtcnn's parts with their real weights, each with its shipped file, and the plugin."""
    if importlib.util.find_spec("facenet_pytorch") is None:  # not imported: it wants torchvision
        pytest.skip("facenet-pytorch is not installed: mtcnn's weights are not here")
    from facecli.contract import DetectorPlugin
    from facecli.export.recipes import mtcnn
    from facecli.hosting.registry import Registry
    from facecli.models.entries import shipped

    parts = mtcnn.build(None)
    files = [shipped.EMBEDDED / part.file for part in parts]
    return list(zip(parts, files, strict=True)), Registry(third_party=False).load("detectors", "mtcnn", DetectorPlugin)


def test_a_detector_finds_the_same_faces_with_files_and_sources(networks):
    from facecli.export.proof.detection import prove_detection

    pairs, plugin = networks
    found = prove_detection(plugin, "mtcnn", pairs, TOLERANCES["fp32"])
    assert found.faces == 16  # eight portraits, and all of them in one picture
    assert found.iou > 0.999
    assert found.landmarks < 0.01


def test_a_detector_with_another_network_is_refused(networks):
    import torch

    from facecli.export.proof.detection import prove_detection

    pairs, plugin = networks
    o_net, file = pairs[2]

    def moved(pixels):
        with torch.inference_mode():
            probability, regression, landmarks = o_net.module(torch.from_numpy(pixels))
        return probability.numpy(), regression.numpy(), landmarks.numpy() + np.float32(0.02)

    spoilt = [*pairs[:2], (replace(o_net, reference=moved), file)]
    with pytest.raises(ExportError, match=r"a landmark in .* px from its source's, the tolerance is 0\.5 px"):
        prove_detection(plugin, "mtcnn", spoilt, TOLERANCES["fp32"])
    with pytest.raises(ExportError, match=r"the detector runs mtcnn_pnet\.onnx of mtcnn, not mtcnn_rnet\.onnx"):
        prove_detection(plugin, "mtcnn", pairs[1:], TOLERANCES["fp32"])
