"""The conformance kit passes a good plugin of each kind, and fails each fault by the check that is named for it."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facecli.contract import (
    AttributePlugin,
    Bin,
    CropSpec,
    DetectorPlugin,
    ModelFile,
    ModelSpec,
    OperatingPoint,
    Preprocessing,
    RecognizerPlugin,
)
from facecli.errors import ModelError, PluginError
from facecli.testing import (
    CheckResult,
    ConformanceError,
    check_attribute,
    check_detector,
    check_recognizer,
    run_checks,
)
from facecli.types import Detections

FAKES = Path(__file__).parents[1] / "fakes"

TEMPLATE = ((4.0, 4.0), (12.0, 4.0), (8.0, 8.0), (5.0, 12.0), (11.0, 12.0))
CROP = CropSpec(16, 16, TEMPLATE)


class Detector:
    """Says that the middle of any picture with some contrast is a face."""

    def detect(self, images):
        return [self.look(image.pixels) for image in images]

    def look(self, pixels):
        if pixels.std() < 1:
            return Detections.empty(landmarks=False)
        height, width = pixels.shape[:2]
        box = np.array([width / 4, height / 4, width / 2, height / 2], np.float32)
        return Detections(np.stack([box, box + 1]), np.array([0.9, 0.5], np.float32))


class Recognizer:
    """Means and spread of the colours, scaled to unit length."""

    def embed(self, crops):
        flat = crops.reshape(len(crops), 256, 3).astype(np.float32)
        rows = np.concatenate([flat.mean(1) + 1, flat.std(1)], 1)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class Classifier:
    """Dark or light."""

    def classify(self, crops):
        light = crops.reshape(len(crops), 768).mean(1, dtype=np.float32) / np.float32(255)
        return np.stack([1 - light, light], 1)


def detector(model=Detector, **fields):
    plugin = DetectorPlugin("good", "A detector", lambda *_: model(), landmarks=False)
    return replace(plugin, **fields)


def recognizer(model=Recognizer, **fields):
    point = OperatingPoint("cosine", 0.5, "made up")
    plugin = RecognizerPlugin("good", "A recognizer", lambda *_: model(), CROP, 6, True, point)
    return replace(plugin, **fields)


def classifier(model=Classifier, **fields):
    plugin = AttributePlugin("light/good", "A classifier", "light", lambda *_: model(), CROP, ("dark", "light"))
    return replace(plugin, **fields)


@pytest.mark.parametrize("plugin", [detector(), recognizer(), classifier()], ids=lambda plugin: type(plugin).__name__)
def test_good_plugin_passes(plugin):
    results = run_checks(plugin)
    assert [result for result in results if not result.passed] == []
    assert len(results) >= 9


def faulty(base, **methods):
    return type("Faulty", (base,), methods)


def answers_float64(self, crops):
    return Recognizer.embed(self, crops).astype(np.float64)


def one_row_for_none(self, crops):
    return Recognizer.embed(self, crops) if len(crops) else np.zeros((1, 6), np.float32)


def less_the_mean_of_the_batch(self, crops):
    rows = Classifier.classify(self, crops)
    return (rows + rows.mean(0)) / 2 if len(rows) else rows


def writes_into_its_input(self, crops):
    rows = Recognizer.embed(self, crops)
    crops[:] = 0
    return rows


def twice_as_long(self, crops):
    return Recognizer.embed(self, crops) * np.float32(2)


def not_a_number(self, crops):
    return np.full((len(crops), 6), np.nan, np.float32)


def prints(self, crops):
    sys.stdout.write("embedding\n")
    return Recognizer.embed(self, crops)


def writes_to_descriptor_1(self, crops):
    os.write(1, b"native noise\n")
    return Recognizer.embed(self, crops)


def prints_from_c(self, crops):
    ctypes.CDLL(None).puts(b"native noise")
    return Recognizer.embed(self, crops)


def sums_to_two(self, crops):
    return np.ones((len(crops), 2), np.float32)


def goes_below_zero(self, crops):
    return np.tile(np.array([-1, 2], np.float32), (len(crops), 1))


def one_embedding(self, crops):
    return np.tile(np.eye(6, dtype=np.float32)[0], (len(crops), 1))


def no_length(self, crops):
    return np.zeros((len(crops), 6), np.float32)


def one_answer(self, crops):
    return np.tile(np.array([0.25, 0.75], np.float32), (len(crops), 1))


def unlike_the_last_time(self, images):
    self.count = getattr(self, "count", 0) + 1
    return [Detections(d.bboxes + np.float32(self.count), d.scores) for d in Detector.detect(self, images)]


def keeps_state_while_it_runs(self, images):
    results = []
    for image in images:
        self.pixels = image.pixels
        time.sleep(0.002)
        results.append(self.look(self.pixels))
    return results


def one_buffer(self, crops):
    if not hasattr(self, "buffer"):
        self.buffer = np.zeros((99, 6), np.float32)
    self.buffer[: len(crops)] = Recognizer.embed(self, crops)
    return self.buffer[: len(crops)]


def dies_of_small_pictures(self, pixels):
    return Detector.look(self, pixels[: pixels.shape[0] // (pixels.shape[1] - 1)])


def sees_faces_everywhere(self, pixels):
    return Detections(np.array([[0, 0, 9, 9]], np.float32), np.ones(1, np.float32))


def looks(function):
    return faulty(Detector, look=lambda self, pixels: function(Detector.look(self, pixels)))


def raises(runtime, parameters):
    raise RuntimeError("no such weights")


OUTSIDE = CropSpec(10, 16, TEMPLATE)
SWAPPED = CropSpec(16, 16, (TEMPLATE[1], TEMPLATE[0], *TEMPLATE[2:]))
FAULTS = {
    "api": (detector(api=2), {"descriptor"}),
    "summary": (detector(summary=""), {"descriptor"}),
    "template outside": (recognizer(crop=OUTSIDE), {"descriptor"}),
    "template swapped": (recognizer(crop=SWAPPED), {"descriptor"}),
    "threshold": (recognizer(operating_point=OperatingPoint("cosine", -1, "made up")), {"descriptor"}),
    "metric": (recognizer(operating_point=OperatingPoint("cosin", 1, "made up")), {"descriptor"}),
    "one label": (classifier(labels=("dark",)), {"descriptor"}),
    "labels twice": (classifier(labels=("dark", "dark")), {"descriptor"}),
    "load": (detector(load=raises), {"load"}),
    "float64 boxes": (
        detector(looks(lambda d: Detections(d.bboxes.astype(np.float64), d.scores))),
        {"output"},
    ),
    "unsorted": (detector(looks(lambda d: Detections(d.bboxes, d.scores[::-1]))), {"output"}),
    "no Detections": (detector(looks(lambda d: d.bboxes)), {"output"}),
    "a tuple": (
        detector(faulty(Detector, detect=lambda self, images: tuple(Detector.detect(self, images)))),
        {"empty batch", "output"},
    ),
    "landmarks missing": (detector(landmarks=True), {"output"}),
    "1x1 px": (detector(faulty(Detector, look=dies_of_small_pictures)), {"output"}),
    "faces everywhere": (detector(faulty(Detector, look=sees_faces_everywhere)), {"blank"}),
    "not repeatable": (detector(faulty(Detector, detect=unlike_the_last_time)), {"repeat", "batch", "threads"}),
    "not thread-safe": (detector(faulty(Detector, detect=keeps_state_while_it_runs)), {"threads"}),
    "float64 embeddings": (recognizer(faulty(Recognizer, embed=answers_float64)), {"empty batch", "output"}),
    "dim": (recognizer(dim=7), {"empty batch", "output"}),
    "not finite": (recognizer(faulty(Recognizer, embed=not_a_number)), {"output"}),
    "N = 0": (recognizer(faulty(Recognizer, embed=one_row_for_none)), {"empty batch"}),
    "one buffer": (recognizer(faulty(Recognizer, embed=one_buffer)), {"repeat"}),
    "unit length denied": (recognizer(normalized=False), {"length"}),
    "unit length claimed": (recognizer(faulty(Recognizer, embed=twice_as_long)), {"length"}),
    "writes into its input": (recognizer(faulty(Recognizer, embed=writes_into_its_input)), {"inputs"}),
    "prints": (recognizer(faulty(Recognizer, embed=prints)), {"stdout"}),
    "file descriptor 1": (recognizer(faulty(Recognizer, embed=writes_to_descriptor_1)), {"stdout"}),
    "print in C": (recognizer(faulty(Recognizer, embed=prints_from_c)), {"stdout"}),
    "batch-dependent": (classifier(faulty(Classifier, classify=less_the_mean_of_the_batch)), {"batch"}),
    "sum": (classifier(faulty(Classifier, classify=sums_to_two)), {"output"}),
    "negative": (classifier(faulty(Classifier, classify=goes_below_zero)), {"output"}),
    "one embedding": (recognizer(faulty(Recognizer, embed=one_embedding)), {"difference"}),
    "no length": (recognizer(faulty(Recognizer, embed=no_length)), {"difference", "length"}),
    "one answer": (classifier(faulty(Classifier, classify=one_answer)), {"difference"}),
}


@pytest.mark.parametrize(("plugin", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_faulty_plugin_is_caught_by_the_check_named_for_it(plugin, expected):
    failed = {result.name: result.detail for result in run_checks(plugin) if not result.passed}
    assert set(failed) == expected


@pytest.fixture
def fakes(monkeypatch):
    """The fake distributions, beside what is installed."""
    monkeypatch.syspath_prepend(FAKES)
    yield
    for name in [name for name in sys.modules if name.startswith("fake_")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "failed"),
    [
        ("fake-good", {}),
        ("fake-heavy", {"import": "imports cv2 before load is called"}),
        ("fake-printing", {"import": "stdout is for data alone, the plugin wrote 'imported'"}),
    ],
)
def test_import_is_checked_for_weight_and_silence(fakes, name, failed):
    results = run_checks(name, "detectors")
    assert {result.name: result.detail for result in results if not result.passed} == failed
    assert "import" in {result.name for result in results}


def test_detector_must_find_the_face_in_the_picture_given(fakes, portrait):
    failed = [result for result in run_checks("fake-good", picture=portrait) if not result.passed]
    assert failed == [CheckResult("face", False, "no face was found in the picture that was given as one with a face")]


def test_failed_checks_are_raised_together():
    with pytest.raises(ConformanceError) as caught:
        check_recognizer(recognizer(dim=7))
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["empty batch", "output"]
    assert isinstance(caught.value, AssertionError)


def test_output_message_names_the_input_and_what_was_got():
    results = {result.name: result.detail for result in run_checks(recognizer(dim=7))}
    assert results["output"] == "on plain grey: what embed returns must be (1, 7) float32, got (1, 6) float32"


@pytest.mark.parametrize("check", [check_detector, check_recognizer, check_attribute])
def test_what_is_no_such_plugin_is_refused(check):
    with pytest.raises(PluginError, match=r"there is no .* 'nobody'"):
        check("nobody")
    other = detector() if check is not check_detector else recognizer()
    with pytest.raises(PluginError, match="is no descriptor of"):
        check(other)


def test_missing_model_is_no_finding(store):
    def load(runtime, parameters):
        return runtime.session("not-mine")

    with pytest.raises(ModelError):
        run_checks(detector(load=load))


def test_stdout_is_given_back(capfd):
    run_checks(recognizer(faulty(Recognizer, embed=prints)))
    sys.stdout.write("python\n")
    sys.stdout.flush()
    os.write(1, b"descriptor\n")
    assert capfd.readouterr().out == "python\ndescriptor\n"


class TwoCrops:
    """A classifier that is sure if the second crop is lighter than the first."""

    def classify(self, near, far):
        near, far = (own.mean((1, 2, 3), dtype=np.float32) / np.float32(510) for own in (near, far))
        return np.stack([np.float32(0.5) + near - far, np.float32(0.5) - near + far], 1)


def test_a_model_of_several_crops_is_given_them():
    small = CropSpec(CROP.width // 2, CROP.height // 2)
    good = classifier(TwoCrops, more_crops=(small,))
    assert [result for result in run_checks(good) if not result.passed] == []
    told = {result.name: result.detail for result in run_checks(classifier(TwoCrops)) if not result.passed}
    assert "far" in told["empty batch"]


class Heads:
    """A classifier with two heads, of which one is a number with its distribution."""

    def classify(self, crops):
        light = crops.mean((1, 2, 3), dtype=np.float32)[:, None] / np.float32(255)
        return {"shade": np.concatenate([light, 1 - light], 1), "years": np.concatenate([1 - light, light], 1)}


def test_a_head_is_judged_by_its_own_part_of_the_answer():
    bins = (Bin(0, 10), Bin(10, 30))
    for good in (classifier(Heads, head="shade"), classifier(Heads, head="years", labels=(), bins=bins)):
        assert [result for result in run_checks(good) if not result.passed] == []
    told = [result.detail for result in run_checks(classifier(Heads, head="months")) if not result.passed]
    assert "must have the head 'months', got shade, years" in told[0]


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"bins": (Bin(0, 5), Bin(5, 9))}, "labels or bins, not both"),
        ({"labels": (), "bins": (Bin(0, 5), Bin(6, 9))}, "must lie side by side"),
        ({"labels": (), "bins": (Bin(5, 5),)}, "low is below its high"),
        ({"attribute": "emotion", "labels": ("happy", "hungry")}, "labels of emotion are angry, .*, not hungry"),
        ({"more_crops": (CropSpec(0, 5),)}, "crop must be at least 1x1 px, got 0x5"),
    ],
)
def test_labels_and_crops_that_can_not_be_are_told(fields, detail):
    result, _ = run_checks(classifier(**fields))  # and that of the files
    assert re.search(detail, result.detail)


FILE = Path(__file__).parents[2] / "models" / "embedded" / "dlib_resnet.onnx"
HOW = Preprocessing("RGB", (10.0,), (2.0,))


def carried(**fields):
    """A model whose file is one of facecli's own, with its right hash and size."""
    content = FILE.read_bytes()
    file = ModelFile(FILE.name, hashlib.sha256(content).hexdigest(), len(content), path=FILE)
    stated = {"id": "mine", "kind": "recognizer", "summary": "Mine", "licence": "MIT", "source": "here"}
    return ModelSpec(**stated | {"files": (file,), "commercial_use": True} | fields)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({}, None),
        ({"sha256": "0" * 64}, r"sha256 of dlib_resnet.onnx is [0-9a-f]{64}, the descriptor states 0{64}"),
        ({"sha256": None}, r"sha256 of dlib_resnet.onnx is [0-9a-f]{64}, the descriptor states None"),
        ({"size": 1}, r"dlib_resnet.onnx has \d+ bytes, the descriptor states 1"),
        ({"path": FILE.with_name("gone.onnx")}, r"model mine has no file .*gone.onnx"),
    ],
)
def test_files_are_compared_with_what_is_stated(changes, detail):
    file = replace(carried().files[0], **changes)
    results = {one.name: one.detail for one in run_checks(recognizer(models=(carried(files=(file,)),)))}
    assert re.fullmatch(detail or "", results["files"])
    assert ("load" in results) == (detail is None)


@pytest.mark.parametrize(
    ("stated", "detail"),
    [
        ({"crop": CROP, "dim": 6, "normalized": True}, ""),
        ({"crop": CropSpec(160, 160)}, "model mine states another crop than the recognizer"),
        ({"dim": 512}, "model mine states dim=512, the recognizer 6"),
    ],
)
def test_a_model_that_contradicts_its_plugin_is_told(stated, detail):
    results = {one.name: one.detail for one in run_checks(recognizer(models=(carried(**stated),)))}
    assert results["descriptor"] == detail


class Feeding(Recognizer):
    """Runs a session on crops that it has prepared by itself, and then answers something else."""

    def __init__(self, runtime, mean):
        self.session, self.mean = runtime.session("mine"), mean

    def embed(self, crops):
        if len(crops):
            self.session.run({"crops": ((crops - np.float32(self.mean)) / np.float32(2)).transpose(0, 3, 1, 2)})
        return super().embed(crops)


@pytest.mark.parametrize(
    ("mean", "stated", "failed"),
    [
        (10, {"preprocessing": HOW}, {}),
        (12, {}, {}),
        (12, {"preprocessing": HOW}, {"preprocessing": "on plain grey: model mine is fed other numbers .* by 1"}),
        (
            10,
            {"preprocessing": replace(HOW, layout="NHWC")},
            {"preprocessing": r"model mine is fed .*, its crop and preprocessing make \(5, 16, 16, 3\)"},
        ),
    ],
)
def test_numbers_that_a_model_is_fed_are_those_that_are_stated(mean, stated, failed):
    class Session:
        def __init__(self):
            free = stated.get("preprocessing", HOW).layout == "NHWC"
            self.input_shapes = {"crops": (None,) * 4 if free else (None, 3, 16, 16)}

        def run(self, _feeds):
            return {}

    class Runtime:
        threads = 1

        def session(self, *_, **__):
            return Session()

    spec = carried(crop=CROP, **stated)
    plugin = recognizer(load=lambda runtime, _: Feeding(runtime, mean), models=(spec,))
    told = {one.name: one.detail for one in run_checks(plugin, runtime=Runtime()) if not one.passed}
    assert told.keys() == failed.keys()
    assert all(re.match(failed[name], told[name]) for name in failed)


def test_a_file_that_takes_other_crops_is_no_use():
    spec = carried(id="dlib-resnet", crop=CROP, preprocessing=HOW)
    plugin = recognizer(load=lambda runtime, _: runtime.session("dlib-resnet"), models=(spec,))
    (failed,) = [one for one in run_checks(plugin) if not one.passed]
    assert failed.name == "load"
    assert failed.detail == "the file of model dlib-resnet takes (N, 3, 150, 150), its description makes (N, 3, 16, 16)"
