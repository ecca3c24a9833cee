from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from facecli.contract import AttributePlugin, CropSpec, DetectorPlugin, OperatingPoint, RecognizerPlugin
from facecli.errors import InputError, ModelError, PluginError, UsageError
from facecli.pictures.sources import Source
from facecli.pipeline.flow import Flow
from facecli.pipeline.river import Pipeline
from facecli.types import Detections, Image, Limits

SPEC = CropSpec(8, 8)


def png(value: int) -> bytes:
    return bytes(cv2.imencode(".png", np.full((16, 16, 3), value, np.uint8))[1])


def source(number: int) -> Source:
    return Source(f"picture {number}", lambda _name, _limits: png(number))


class Detector:
    """One face per picture; refuses the picture whose grey value it is told."""

    def __init__(self, poison: int | None = None, faces: int = 1, answer: Any = None) -> None:
        self.poison, self.faces, self.answer, self.largest_batch = poison, faces, answer, 0

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        self.largest_batch = max(self.largest_batch, len(images))
        if self.answer is not None:
            return self.answer  # type: ignore[no-any-return]
        if any(image.pixels[0, 0, 0] == self.poison for image in images):
            raise ZeroDivisionError("poisoned")
        box = np.tile(np.float32([2, 2, 14, 14]), (self.faces, 1))
        return [Detections(box, np.linspace(0.9, 0.5, self.faces, dtype=np.float32)) for _ in images]


class Mean:
    """Embeds and classifies a crop as its mean, so that a row tells which picture it is of."""

    def embed(self, crops: np.ndarray) -> np.ndarray:
        return crops.mean((1, 2))[:, :2].astype(np.float32)

    def classify(self, crops: np.ndarray) -> np.ndarray:
        return crops.mean((1, 2))[:, :1].astype(np.float32)


def pipeline(
    detector: Any = None, recognizer: Any = None, classifier: Any = None, more: Sequence[Any] = (), **flow: Any
) -> Pipeline:
    recognizer = recognizer or Mean()
    unused: Any = None
    tools: Any = SimpleNamespace(
        detector=detector or Detector(),
        detector_plugin=DetectorPlugin("d", "", unused, landmarks=False),
        recognizers=(recognizer, *more),
        recognizer_plugins=(RecognizerPlugin("r", "", unused, SPEC, 2, False, OperatingPoint("cosine", 1, "")),)
        * (1 + len(more)),
        attribute_plugins=(AttributePlugin("grey/mean", "", "grey", unused, SPEC, ("a", "b") if classifier else ()),),
        classifiers=(classifier or Mean(),),
        wait=lambda: None,
        blame=lambda plugin, what, error: PluginError(f"{plugin.name} {what}: {type(error).__name__}: {error}"),
    )
    return Pipeline(tools, Flow(**flow))


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_order_is_kept_and_each_picture_gets_its_own_rows(jobs: int, batch_size: int) -> None:
    results = list(pipeline(jobs=jobs, batch_size=batch_size).run(source(n) for n in range(23)))
    assert [result.source for result in results] == [f"picture {n}" for n in range(23)]
    assert [float(result.embeddings[0, 0]) for result in results if result.embeddings is not None] == list(range(23))
    assert [float(result.attributes[0].rows[0, 0]) for result in results] == list(range(23))


def test_a_batch_goes_through_the_models_together() -> None:
    detector = Detector()
    list(pipeline(detector, batch_size=5).run(source(n) for n in range(12)))
    assert detector.largest_batch == 5


def test_one_bad_picture_in_a_batch_fails_alone() -> None:
    def fail(name: str, _limits: Limits) -> bytes:
        raise InputError(f"gone: {name}")

    sources = [source(1), Source("lost", fail), Source("text", lambda *_: b"hello"), source(7), source(9)]
    results = list(pipeline(Detector(poison=7), batch_size=5).run(sources))
    codes = [result.error and result.error.code for result in results]
    assert codes == [None, "input", "decode", "plugin", None]
    assert "ZeroDivisionError: poisoned" in str(results[3].error)
    assert results[4].embeddings is not None
    assert results[4].embeddings[0, 0] == 9


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_missing_model_ends_the_run(jobs: int) -> None:
    class Absent(Detector):
        def detect(self, _images: Sequence[Image]) -> list[Detections]:
            raise ModelError("not installed")

    with pytest.raises(ModelError):
        list(pipeline(Absent(), jobs=jobs).run(source(n) for n in range(5)))


def test_no_face_is_an_error_only_where_a_face_is_needed() -> None:
    (needed,) = pipeline(Detector(faces=0)).run([source(1)])
    assert needed.error is not None
    assert needed.error.code == "no_face"
    (free,) = pipeline(Detector(faces=0), need_face=False).run([source(1)])
    assert free.error is None
    assert free.embeddings is not None
    assert free.embeddings.shape == (0, 2)


def test_the_chosen_faces_keep_their_indices() -> None:
    (result,) = pipeline(Detector(faces=4), faces="2").run([source(1)])
    assert (result.faces_found, result.indices) == (4, (2,))
    (result,) = pipeline(Detector(faces=4), faces="only").run([source(1)])
    assert result.error is not None
    assert result.error.code == "ambiguous_face"


def test_no_detect_takes_the_whole_picture_and_says_so() -> None:
    (result,) = pipeline(detect=False).run([source(5)])
    assert not result.detected
    assert result.detections is None
    assert result.embeddings is not None
    assert result.embeddings[0, 0] == 5


@pytest.mark.parametrize("batch_size", [1, 3])
def test_every_recognizer_sees_the_same_faces(batch_size: int) -> None:
    doubled = SimpleNamespace(embed=lambda crops: 2 * Mean().embed(crops))
    results = list(pipeline(more=[doubled, doubled], batch_size=batch_size).run(source(n) for n in (1, 2, 3)))
    assert len(results) == 3
    for result in results:
        assert result.embeddings is not None
        assert len(result.embeddings)
        assert len(result.further_embeddings) == 2
        for rows in result.further_embeddings:
            np.testing.assert_array_equal(rows, 2 * result.embeddings)


@pytest.mark.parametrize(
    ("recognizer", "words"),
    [
        (SimpleNamespace(embed=lambda c: np.zeros((len(c), 3), np.float32)), r"must be \(1, 2\) float32"),
        (SimpleNamespace(embed=lambda c: np.zeros((len(c), 2), np.float64)), "float64"),
        (SimpleNamespace(embed=lambda c: np.full((len(c), 2), np.nan, np.float32)), "NaN"),
    ],
)
def test_a_recognizer_that_breaks_the_contract_is_told(recognizer: Any, words: str) -> None:
    (result,) = pipeline(recognizer=recognizer).run([source(1)])
    assert result.error is not None
    assert result.error.code == "contract"
    assert re.search(words, str(result.error))


@pytest.mark.parametrize("answer", [[], ["x"]])
def test_a_detector_that_breaks_the_contract_is_told(answer: Any) -> None:
    (result,) = pipeline(Detector(answer=answer)).run([source(1)])
    assert result.error is not None
    assert "one Detections per picture" in str(result.error)


def test_sources_are_drawn_as_needed_so_that_memory_stays_bounded() -> None:
    drawn = 0

    def endless() -> Iterator[Source]:
        nonlocal drawn
        while True:
            drawn += 1
            yield source(drawn % 250)

    results = pipeline(jobs=2, batch_size=3).run(endless())
    for _ in range(10):
        next(results)
    assert drawn <= 10 + 3 * 2 * 3


def test_pictures_are_let_go_unless_asked_for() -> None:
    assert next(iter(pipeline().run([source(1)]))).image is None
    assert next(iter(pipeline(keep_image=True).run([source(1)]))).image is not None


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("batch")]


def test_closing_early_stops_the_workers() -> None:
    results = pipeline(jobs=2).run(source(n % 250) for n in range(10_000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 60  # a batch at work is not cut off, and this machine may be busy
    while workers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not workers()


def test_the_clock_counts_every_stage() -> None:
    running = pipeline(jobs=2)
    list(running.run(source(n) for n in range(4)))
    assert set(running.clock.seconds) == {"read", "decode", "load", "detect", "crop", "embed", "grey"}
    assert all(seconds > 0 for seconds in running.clock.seconds.values())


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_plugin_that_exits_fails_on_its_picture_alone(batch_size: int) -> None:
    class Exits(Detector):
        def detect(self, images: Sequence[Image]) -> list[Detections]:
            if any(image.pixels[0, 0, 0] == 2 for image in images):
                raise SystemExit(0)
            return super().detect(images)

    results = list(pipeline(Exits(), batch_size=batch_size).run(source(n) for n in range(4)))
    assert [result.error and result.error.code for result in results] == [None, None, "plugin", None]
    assert "d failed on picture 2: SystemExit: 0" in str(results[2].error)


def test_a_picture_alone_in_its_batch_is_analysed_once() -> None:
    class Counting(Detector):
        calls = 0

        def detect(self, images: Sequence[Image]) -> list[Detections]:
            self.calls += 1
            return super().detect(images)

    detector = Counting(poison=1)
    (result,) = pipeline(detector).run([source(1)])
    assert result.error is not None
    assert detector.calls == 1


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("error", [UsageError("factor must be below 1"), PluginError("can not be loaded")])
def test_what_a_load_raised_ends_the_run_once(jobs: int, error: Exception) -> None:
    running = pipeline(jobs=jobs)

    def fail() -> None:
        raise error

    running.stages.tools.wait = fail  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        list(running.run(source(n) for n in range(5)))


@pytest.mark.parametrize("row", [[0.5, 0.4], [1.5, -0.5], [0.0, 0.0], [1.01, 0.0]])
def test_rows_that_are_no_probabilities_are_told(row: list[float]) -> None:
    classifier = SimpleNamespace(classify=lambda crops: np.float32([row] * len(crops)))
    (result,) = pipeline(classifier=classifier).run([source(1)])
    assert result.error is not None
    assert result.error.code == "contract"
    assert "grey/mean must be probabilities" in str(result.error)


def test_probabilities_may_be_rounded_and_absent() -> None:
    classifier = SimpleNamespace(classify=lambda crops: np.float32([[0.3, 0.7002]] * len(crops)))
    assert next(iter(pipeline(classifier=classifier).run([source(1)]))).error is None
    nobody = pipeline(Detector(faces=0), classifier=classifier, need_face=False)
    nobody.stages.tools.classifiers = (Mean2(),)  # type: ignore[misc]
    assert next(iter(nobody.run([source(1)]))).error is None


class Mean2:
    def classify(self, crops: np.ndarray) -> np.ndarray:
        return np.zeros((len(crops), 2), np.float32)


def test_a_model_gets_each_face_cut_in_every_way_that_it_states() -> None:
    seen: list[tuple[tuple[int, ...], ...]] = []

    class Both:
        def classify(self, *crops: np.ndarray) -> np.ndarray:
            seen.append(tuple(own.shape for own in crops))
            return np.stack([own.mean((1, 2, 3)) for own in crops], 1)[:, :1].astype(np.float32)

    running = pipeline(Detector(faces=2), classifier=None, batch_size=3)
    plugin = replace(running.stages.tools.attribute_plugins[0], more_crops=(CropSpec(4, 6, margin=1.0), CropSpec(3, 3)))
    running.stages.tools.attribute_plugins, running.stages.tools.classifiers = (plugin,), (Both(),)  # type: ignore[misc]
    results = list(running.run(source(n) for n in range(3)))
    assert [result.attributes[0].rows.shape for result in results] == [(2, 1)] * 3
    assert seen == [((6, 8, 8, 3), (6, 6, 4, 3), (6, 3, 3, 3))]


def test_measures_are_taken_where_asked_for_and_go_with_their_faces() -> None:
    plain, measured = pipeline(Detector(faces=2)), pipeline(Detector(faces=2), measures=("quality",))
    assert next(iter(plain.run([source(9)]))).measures == ()
    dark, light = measured.run([source(0), source(200)])
    assert [len(result.measures) for result in (dark, light)] == [2, 2]
    assert (dark.measures[0]["quality"]["brightness"], dark.image) == (0, None)
    assert light.measures[1]["quality"]["brightness"] == pytest.approx(200 / 255)
    nobody = pipeline(Detector(faces=0), measures=("pose", "quality"), need_face=False)
    assert next(iter(nobody.run([source(1)]))).measures == ()
    (failed,) = pipeline(Detector(faces=0), measures=("quality",)).run([source(1)])
    assert failed.error is not None and failed.measures == ()
