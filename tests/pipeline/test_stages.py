"""One batch through the stages: each picture gets its own rows or its own error, and nobody else's."""

from __future__ import annotations

import re
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from facecli.contract import AttributePlugin, Bin, CropSpec, DetectorPlugin, OperatingPoint, RecognizerPlugin
from facecli.errors import InputError, ModelError, PluginError, UsageError
from facecli.pictures.room import Room
from facecli.pictures.sources import Source
from facecli.pipeline import opening, per_face
from facecli.pipeline.flow import Flow
from facecli.pipeline.results import ImageResult
from facecli.pipeline.river import Pipeline
from facecli.pipeline.stages import Stages
from facecli.types import Detections, Image

SPEC = CropSpec(8, 8)
UNUSED: Any = None  # descriptors here are never loaded


def png(value: int) -> bytes:
    return bytes(cv2.imencode(".png", np.full((16, 16, 3), value, np.uint8))[1])


def source(number: int) -> Source:
    return Source(f"picture {number}", lambda *_: png(number))


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


@dataclass
class FakeTools:
    """The plugins that the stages see, already loaded."""

    detector: Any = field(default_factory=Detector)
    recognizers: tuple[Any, ...] = field(default_factory=lambda: (Mean(),))
    classifiers: tuple[Any, ...] = field(default_factory=lambda: (Mean(),))
    labels: tuple[str, ...] = ()
    more_crops: tuple[CropSpec, ...] = ()
    attributes: tuple[AttributePlugin, ...] = ()
    load_error: Exception | None = None

    @property
    def detector_plugin(self) -> DetectorPlugin:
        return DetectorPlugin("d", "", UNUSED, landmarks=False)

    @property
    def recognizer_plugins(self) -> tuple[RecognizerPlugin, ...]:
        plugin = RecognizerPlugin("r", "", UNUSED, SPEC, 2, False, OperatingPoint("cosine", 1, ""))
        return (plugin,) * len(self.recognizers)

    @property
    def attribute_plugins(self) -> tuple[AttributePlugin, ...]:
        mean = AttributePlugin("grey/mean", "", "grey", UNUSED, SPEC, self.labels, more_crops=self.more_crops)
        return self.attributes or (mean,)

    def parameters(self, plugin: Any) -> dict[str, Any]:
        return {"size": 4} if plugin.name == "d" else {}

    def wait(self) -> None:
        if self.load_error is not None:
            raise self.load_error

    def blame(self, plugin: Any, failure: str, error: BaseException) -> PluginError:
        return PluginError(f"{plugin.name} {failure}: {type(error).__name__}: {error}")


def stages(tools: FakeTools | None = None, **flow: Any) -> Stages:
    return Stages(tools or FakeTools(), Flow(**flow))


def process(detector: Any = None, *numbers: int, **flow: Any) -> list[ImageResult]:
    """The results of pictures of these grey values, by the detector (None: one face in each)."""
    tools = FakeTools() if detector is None else FakeTools(detector)
    return stages(tools, **flow).process([source(number) for number in numbers])


def test_each_picture_gets_its_own_rows() -> None:
    results = process(None, *range(7))
    assert [result.source for result in results] == [f"picture {n}" for n in range(7)]
    assert [float(result.embeddings[0, 0]) for result in results if result.embeddings is not None] == list(range(7))
    assert [float(result.attributes[0].rows[0, 0]) for result in results] == list(range(7))


def test_a_batch_goes_through_the_models_together() -> None:
    detector = Detector()
    process(detector, *range(5))
    assert detector.largest_batch == 5


def test_the_crops_of_a_crowd_are_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is given a few faces at once, and each picture gets the rows of its own."""
    monkeypatch.setattr(per_face, "MOST_BYTES", 3 * 8 * 8 * 3)  # three crops
    counts: list[int] = []

    class Counting(Mean):
        def embed(self, crops: np.ndarray) -> np.ndarray:
            counts.append(len(crops))
            return super().embed(crops)

    tools = FakeTools(Detector(faces=4), recognizers=(Counting(),))
    results = stages(tools).process([source(1), source(2), source(3)])
    assert counts == [3, 3, 3, 3]
    for number, result in enumerate(results, 1):
        assert result.embeddings is not None
        assert result.embeddings[:, 0].tolist() == [number] * 4


def test_a_batch_that_finds_no_room_is_done_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "ROOM", Room(2 * 16 * 16 * 7 + 500))  # two pictures, with their files
    detector = Detector()
    results = process(detector, *range(5))
    assert [result.source for result in results] == [f"picture {n}" for n in range(5)]
    assert detector.largest_batch == 2


@pytest.mark.parametrize("jobs", [1, 3])
def test_room_is_given_back_whatever_happens(monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    room = Room(16 * 16 * 7 + 300)
    monkeypatch.setattr(opening, "ROOM", room)
    large = Source("large", lambda _name, _limits, ask: ask() or png(3))
    broken = [Source("text", lambda *_: b"hello"), Source("cut", lambda *_: png(1)[:-20]), large]
    tools: Any = FakeTools(Detector(poison=4))
    results = list(Pipeline(tools, Flow(jobs=jobs, batch_size=2)).run([*broken, source(4), source(5), *broken]))
    assert [result.error is None for result in results] == [False, False, True, False, True, False, False, True]
    with room.share() as share:
        assert share.take(room.total, wait=False)


def test_an_error_keeps_no_picture_in_memory() -> None:
    images: list[Any] = []

    class Failing(Detector):
        def detect(self, pictures: Sequence[Image]) -> list[Detections]:
            images.extend(weakref.ref(picture.pixels.base or picture.pixels) for picture in pictures)
            raise ZeroDivisionError("poisoned")

    results = process(Failing(), 1, 2)
    assert [type(result.error) for result in results] == [PluginError, PluginError]
    assert len(images) == 4  # together, then one by one
    assert [image() is None for image in images] == [True] * 4


def test_a_picture_that_is_decoded_already_goes_the_same_way() -> None:
    image = Image(np.full((16, 16, 3), 3, np.uint8), "array")
    (result,) = stages().process([image])
    assert (result.source, result.width, result.error) == ("array", 16, None)
    assert result.embeddings is not None
    assert result.embeddings[0, 0] == 3


def test_one_bad_picture_in_a_batch_fails_alone() -> None:
    def fail(name: str, *_: object) -> bytes:
        raise InputError(f"gone: {name}")

    sources = [source(1), Source("lost", fail), Source("text", lambda *_: b"hello"), source(7), source(9)]
    results = stages(FakeTools(Detector(poison=7))).process(sources)
    codes = [result.error and result.error.code for result in results]
    assert codes == [None, "input", "decode", "plugin", None]
    assert "ZeroDivisionError: poisoned" in str(results[3].error)
    assert results[4].embeddings is not None
    assert results[4].embeddings[0, 0] == 9


def test_a_missing_model_is_no_picture_s_fault() -> None:
    class Absent(Detector):
        def detect(self, _images: Sequence[Image]) -> list[Detections]:
            raise ModelError("not installed")

    with pytest.raises(ModelError):
        process(Absent(), 1, 2)


@pytest.mark.parametrize("error", [UsageError("factor must be below 1"), PluginError("can not be loaded")])
def test_what_a_load_raised_is_no_picture_s_fault(error: Exception) -> None:
    with pytest.raises(type(error)):
        stages(FakeTools(load_error=error)).process([source(1)])


def test_no_face_is_an_error_only_where_a_face_is_needed() -> None:
    (needed,) = process(Detector(faces=0), 1)
    assert needed.error is not None
    assert needed.error.code == "no_face"
    (free,) = process(Detector(faces=0), 1, need_face=False)
    assert free.error is None
    assert free.remark is not None and free.remark.code == "no_face"
    assert (needed.detected, free.detected, free.faces_found) == (False, False, 0)
    assert free.embeddings is not None
    assert free.embeddings.shape == (0, 2)


class Upwards:
    """Finds the brightest quarter of the picture, and is surest of it where it lies at the top left."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        return [self.look(image.pixels[..., 0]) for image in images]

    def look(self, pixels: np.ndarray) -> Detections:
        height, width = pixels.shape
        top, left = (int(axis) for axis in np.unravel_index(pixels.argmax(), pixels.shape))
        score = 0.9 if (top, left) == (0, 0) else 0.8
        box = np.float32([[left, top, left + width // 2, top + height // 2]])
        return Detections(box, np.float32([score]))


class Corners(Mean):
    """Embeds a crop as two of its corners, so that a turned one is another."""

    def embed(self, crops: np.ndarray) -> np.ndarray:
        return crops[:, 0, [0, -1], 0].astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_picture_is_found_in_the_turn_of_the_surest_face(degrees: int) -> None:
    upright = np.zeros((8, 12, 3), np.uint8)
    upright[:4, :6] = np.linspace(200, 240, 24).reshape(4, 6, 1)
    upright[0, 0] = 255
    arrived = np.ascontiguousarray(np.rot90(upright, degrees // 90))  # by so much against the clock
    around = stages(FakeTools(Upwards(), (Corners(),)), rotate=True, keep_image=True)
    (found,) = around.process([Image(arrived, "x")])
    assert (found.rotated, found.width, found.height) == (degrees, arrived.shape[1], arrived.shape[0])
    assert found.image is not None and (found.image.pixels == arrived).all()
    assert found.detections is not None and found.embeddings is not None
    x1, y1, x2, y2 = found.detections.bboxes[0].astype(int)
    assert (arrived[y1:y2, x1:x2] >= 200).all() and (arrived >= 200).sum() == 3 * (y2 - y1) * (x2 - x1)
    (plain,) = stages(FakeTools(Upwards(), (Corners(),))).process([Image(upright, "x")])
    assert plain.rotated is None
    assert plain.embeddings is not None and (found.embeddings == plain.embeddings).all()


def test_the_chosen_faces_keep_their_indices() -> None:
    (result,) = process(Detector(faces=4), 1, faces="2")
    assert (result.faces_found, result.indices) == (4, (2,))
    (result,) = process(Detector(faces=4), 1, faces="only")
    assert result.error is not None
    assert result.error.code == "ambiguous_face"


def test_faces_below_the_least_score_are_left_out() -> None:
    (result,) = process(Detector(faces=3), 1, min_score=0.6)  # of 0.9, 0.7, 0.5
    assert (result.faces_found, result.indices) == (2, (0, 1))
    (nobody,) = process(Detector(faces=3), 1, min_score=0.95, need_face=False)
    assert (nobody.faces_found, nobody.indices, nobody.error) == (0, (), None)


def test_no_detect_takes_the_whole_picture_and_says_so() -> None:
    (result,) = process(None, 5, detect=False)
    assert not result.detected
    assert result.detections is None
    assert result.embeddings is not None
    assert result.embeddings[0, 0] == 5


def test_every_recognizer_sees_the_same_faces() -> None:
    doubled = SimpleNamespace(embed=lambda crops: 2 * Mean().embed(crops))
    tools = FakeTools(recognizers=(Mean(), doubled, doubled))
    for result in stages(tools).process([source(n) for n in (1, 2, 3)]):
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
def test_a_recognizer_that_breaks_the_contract_is_named(recognizer: Any, words: str) -> None:
    (result,) = stages(FakeTools(recognizers=(recognizer,))).process([source(1)])
    assert result.error is not None
    assert result.error.code == "contract"
    assert re.search(words, str(result.error))


@pytest.mark.parametrize("answer", [[], ["x"]])
def test_a_detector_that_breaks_the_contract_is_named(answer: Any) -> None:
    (result,) = process(Detector(answer=answer), 1)
    assert result.error is not None
    assert "one Detections per picture" in str(result.error)


def test_pictures_are_let_go_unless_asked_for() -> None:
    assert process(None, 1)[0].image is None
    assert process(None, 1, keep_image=True)[0].image is not None


def test_the_clock_counts_every_stage() -> None:
    running = stages()
    running.process([source(n) for n in range(4)])
    assert set(running.clock.seconds) == {"read", "decode", "load", "detect", "crop", "embed", "grey"}
    assert all(seconds > 0 for seconds in running.clock.seconds.values())


@pytest.mark.parametrize("together", [True, False])
def test_a_plugin_that_exits_fails_on_its_picture_alone(together: bool) -> None:
    class Exits(Detector):
        def detect(self, images: Sequence[Image]) -> list[Detections]:
            if any(image.pixels[0, 0, 0] == 2 for image in images):
                raise SystemExit(0)
            return super().detect(images)

    batches = [[0, 1, 2, 3]] if together else [[0], [1], [2], [3]]
    results = [result for batch in batches for result in process(Exits(), *batch)]
    assert [result.error and result.error.code for result in results] == [None, None, "plugin", None]
    assert "d failed on picture 2: SystemExit: 0" in str(results[2].error)


def test_a_picture_alone_in_its_batch_is_analysed_once() -> None:
    class Counting(Detector):
        calls = 0

        def detect(self, images: Sequence[Image]) -> list[Detections]:
            self.calls += 1
            return super().detect(images)

    detector = Counting(poison=1)
    (result,) = process(detector, 1)
    assert result.error is not None
    assert detector.calls == 1


@pytest.mark.parametrize("row", [[0.5, 0.4], [1.5, -0.5], [0.0, 0.0], [1.01, 0.0]])
def test_rows_that_are_no_probabilities_are_an_error(row: list[float]) -> None:
    classifier = SimpleNamespace(classify=lambda crops: np.float32([row] * len(crops)))
    (result,) = stages(FakeTools(classifiers=(classifier,), labels=("a", "b"))).process([source(1)])
    assert result.error is not None
    assert result.error.code == "contract"
    assert "grey/mean must be probabilities" in str(result.error)


def test_probabilities_may_be_rounded_and_absent() -> None:
    rounded = SimpleNamespace(classify=lambda crops: np.float32([[0.3, 0.7002]] * len(crops)))
    (result,) = stages(FakeTools(classifiers=(rounded,), labels=("a", "b"))).process([source(1)])
    assert result.error is None
    absent = SimpleNamespace(classify=lambda crops: np.zeros((len(crops), 2), np.float32))
    nobody = FakeTools(Detector(faces=0), classifiers=(absent,), labels=("a", "b"))
    (result,) = stages(nobody, need_face=False).process([source(1)])
    assert result.error is None


def test_a_model_gets_each_face_cut_in_every_way_that_it_states() -> None:
    shapes: list[tuple[tuple[int, ...], ...]] = []

    class Both:
        def classify(self, *crops: np.ndarray) -> np.ndarray:
            shapes.append(tuple(own.shape for own in crops))
            return np.stack([own.mean((1, 2, 3)) for own in crops], 1)[:, :1].astype(np.float32)

    more = (CropSpec(4, 6, margin=1.0), CropSpec(3, 3))
    tools = FakeTools(Detector(faces=2), classifiers=(Both(),), more_crops=more)
    results = stages(tools).process([source(n) for n in range(3)])
    assert [result.attributes[0].rows.shape for result in results] == [(2, 1)] * 3
    assert shapes == [((6, 8, 8, 3), (6, 6, 4, 3), (6, 3, 3, 3))]


def test_a_network_with_several_heads_runs_once_for_all_its_attributes() -> None:
    calls: list[int] = []

    class Heads:
        def classify(self, crops: np.ndarray) -> dict[str, np.ndarray]:
            calls.append(len(crops))
            light = crops.mean((1, 2, 3)).astype(np.float32)[:, None] / 255
            return {"shade": np.concatenate([light, 1 - light], 1), "years": np.concatenate([1 - light, light], 1)}

    network = Heads()
    shade = AttributePlugin("shade/x", "", "shade", UNUSED, SPEC, ("light", "dark"), head="shade")
    years = AttributePlugin("age/x", "", "age", UNUSED, SPEC, (), bins=(Bin(0, 10), Bin(10, 30)), head="years")
    tools = FakeTools(Detector(faces=2), classifiers=(network, network), attributes=(shade, years))
    results = stages(tools).process([source(n) for n in (0, 255)])
    assert calls == [4]
    assert [[own.attribute for own in result.attributes] for result in results] == [["shade", "age"]] * 2
    assert results[1].attributes[1].rows.tolist() == [[0, 1], [0, 1]]
    other = replace(years, head="months")
    (result,) = stages(replace(tools, attributes=(shade, other))).process([source(1)])
    assert "must have the head 'months', got shade, years" in str(result.error)


def test_measures_are_taken_where_asked_for_and_go_with_their_faces() -> None:
    assert process(Detector(faces=2), 9)[0].measures == ()
    dark, light = process(Detector(faces=2), 0, 200, measures=("quality",))
    assert [len(result.measures) for result in (dark, light)] == [2, 2]
    assert (dark.measures[0]["quality"]["brightness"], dark.image) == (0, None)
    assert light.measures[1]["quality"]["brightness"] == pytest.approx(200 / 255)
    (nobody,) = process(Detector(faces=0), 1, measures=("pose", "quality"), need_face=False)
    assert nobody.measures == ()
    (failed,) = process(Detector(faces=0), 1, measures=("quality",))
    assert failed.error is not None and failed.measures == ()
