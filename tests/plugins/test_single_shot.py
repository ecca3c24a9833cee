"""What single-shot detectors share: looks, batches, suppression and refusals, each family with a toy network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from facecli.contract import DetectorPlugin
from facecli.errors import ModelError, UsageError
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader, make_runtime
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models import catalogue
from facecli.models.store import ModelStore
from facecli.plugins.detectors import retinaface, scrfd, yolov5_face, yolov8_face, yunet
from facecli.plugins.single_shot.candidates import Layout
from facecli.plugins.single_shot.detector import SingleShotDetector
from facecli.plugins.single_shot.parameters import SMALL
from facecli.plugins.single_shot.parts import whole
from facecli.types import Image

FAMILIES = [scrfd.FAMILY, yunet.FAMILY, retinaface.FAMILY, yolov8_face.FAMILY, yolov5_face.FAMILY]
FREE = [family for family in FAMILIES if family.name != "yolov5-face"]  # the toy's Reshape needs a fixed size there
STRIDES = (8, 16, 32)


def picture(height: int, width: int, *cells: tuple[int, int, int]) -> Image:
    """A black picture with white squares: (x, y, side) px."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for x, y, side in cells:
        pixels[y : y + side, x : x + side] = 255
    return Image(pixels, "made")


def expected(family: str, x: float, y: float, stride: int) -> tuple[list[float], list[list[float]]]:
    """Box and landmarks of the toy's face at a cell whose corner is (x, y), by each family's own formula."""
    level = STRIDES.index(stride)
    steps = [0.1 * k for k in range(10)]
    if family == "scrfd":
        box = [x - stride, y - stride, x + 2 * stride, y + 2 * stride]
        points = [[x + steps[2 * k] * stride, y + steps[2 * k + 1] * stride] for k in range(5)]
    elif family == "yunet":
        box = [x - stride, y - stride, x + 2 * stride, y + 2 * stride]  # centre half a cell in, three cells wide
        points = [[x + steps[2 * k] * stride, y + steps[2 * k + 1] * stride] for k in range(5)]
    elif family == "retinaface":
        side = (10, 32, 128)[level]
        middle = x + stride / 2, y + stride / 2
        box = [middle[0] - side / 2, middle[1] - side / 2, middle[0] + side / 2, middle[1] + side / 2]
        points = [[middle[0] + steps[2 * k] * 0.1 * side, middle[1] + steps[2 * k + 1] * 0.1 * side] for k in range(5)]
    elif family == "yolov8-face":
        middle = x + stride / 2, y + stride / 2
        box = [middle[0] - stride, middle[1] - stride, middle[0] + 2 * stride, middle[1] + 2 * stride]
        points = [[x + 2 * stride * 0.1 * k, y + 2 * stride * 0.05 * k] for k in range(5)]
    else:
        width, height = ((8, 10), (43, 55), (231, 300))[level]
        middle = x + stride / 2, y + stride / 2
        box = [middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2]
        points = [[x + steps[2 * k] * width, y + steps[2 * k + 1] * height] for k in range(5)]
    return box, points


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_face_is_where_the_network_puts_it(toy_detector: Callable, family: Any, stride: int) -> None:
    detector = toy_detector(family, stride=stride, size=640, multi_scale="never")
    x, y = 2 * stride, 3 * stride
    (found,) = detector.detect([picture(128, 160, (x, y, stride))])
    box, points = expected(family.name, x, y, stride)
    assert len(found) == 1
    np.testing.assert_allclose(found.bboxes[0], box, atol=1e-3)
    np.testing.assert_allclose(found.landmarks[0], points, atol=1e-3)
    assert found.scores[0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_nothing_is_found_where_nothing_is(toy_detector: Callable, family: Any) -> None:
    (found,) = toy_detector(family).detect([picture(50, 40)])
    assert len(found) == 0
    assert found.landmarks.shape == (0, 5, 2)
    assert toy_detector(family).detect([]) == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_boxes_are_in_the_pixels_of_the_picture(toy_detector: Callable, family: Any) -> None:
    """Four times the canvas in width: what is at 32 px there is at 128 px here."""
    detector = toy_detector(family, multi_scale="never")
    (found,) = detector.detect([picture(300, 640, (128, 192, 64))])
    box, points = expected(family.name, 32, 48, 16)
    np.testing.assert_allclose(found.bboxes[0], np.array(box) * 4, atol=0.05)
    np.testing.assert_allclose(found.landmarks[0], np.array(points) * 4, atol=0.05)


@pytest.mark.parametrize("family", FREE, ids=lambda family: family.name)
def test_a_free_canvas_has_sides_of_whole_cells(toy_detector: Callable, family: Any) -> None:
    detector = toy_detector(family, batch="n", fixed=None, size=320, multi_scale="never")
    shapes = watched(detector)
    (found,) = detector.detect([picture(200, 320, (64, 96, 16))])
    np.testing.assert_allclose(found.bboxes[0], expected(family.name, 64, 96, 16)[0], atol=1e-3)
    assert shapes == [(1, 3, 224, 320)]


@pytest.mark.parametrize("family", FREE, ids=lambda family: family.name)
@pytest.mark.parametrize(("batch", "fixed", "runs"), [("n", None, 2), (1, (96, 128), 4), (3, (96, 128), 2)])
def test_a_batch_changes_no_result(
    toy_detector: Callable, family: Any, batch: int | str, fixed: Any, runs: int
) -> None:
    detector = toy_detector(family, batch=batch, fixed=fixed, size=640 if fixed else 128, multi_scale="never")
    upright = picture(192, 96, (32, 96, 32)) if fixed else picture(128, 64, (16, 80, 16))
    pictures = [*(picture(96, 128, (16 * k, 32, 16)) for k in (1, 3, 6)), upright]
    alone = [detector.detect([one])[0] for one in pictures]
    shapes = watched(detector)
    together = detector.detect(pictures)
    assert len(shapes) == runs
    for a, b in zip(alone, together, strict=True):
        assert len(a) == 1
        np.testing.assert_allclose(a.bboxes, b.bboxes, atol=1e-4)
        np.testing.assert_allclose(a.landmarks, b.landmarks, atol=1e-4)
    assert together[0].bboxes[0, 0] != together[1].bboxes[0, 0]


def test_a_box_inside_a_better_and_larger_one_is_a_part() -> None:
    """Beside it: one that is better than what is around it, one that sticks out by half, one outside, and copies."""
    face, better, out, outside = [0, 0, 100, 100], [20, 20, 60, 60], [80, 10, 120, 50], [200, 0, 220, 20]
    eye = [10, 20, 50, 60]
    boxes = np.array([better, face, out, eye, outside], np.float32)
    assert whole(boxes, 0.8).tolist() == [True, True, True, False, True]
    assert whole(boxes, 0.45).tolist() == [True, True, False, False, True]
    assert whole(boxes[:0], 0.8).shape == (0,)
    many = np.concatenate([boxes[1:2], np.tile(boxes[3:4], (300, 1)), boxes[4:]])  # more than are compared at once
    assert np.flatnonzero(whole(many, 0.8)).tolist() == [0, 301]


def test_faces_that_overlap_more_than_the_threshold_are_one(toy_detector: Callable) -> None:
    two = picture(128, 160, (48, 48, 16), (64, 48, 16))  # boxes of three cells, one cell apart: IoU one half
    assert len(toy_detector(scrfd.FAMILY, nms_threshold=0.4).detect([two])[0]) == 1
    assert len(toy_detector(scrfd.FAMILY, nms_threshold=0.6).detect([two])[0]) == 2


def test_the_score_threshold_is_the_least_score(toy_detector: Callable) -> None:
    half = Image(picture(128, 160, (48, 48, 16)).pixels // 2, "grey")
    (score,) = toy_detector(scrfd.FAMILY, score_threshold=0.4).detect([half])[0].scores
    assert score == pytest.approx(127 / 255, abs=1e-3)
    assert len(toy_detector(scrfd.FAMILY, score_threshold=0.6).detect([half])[0]) == 0


@pytest.mark.parametrize(
    ("height", "width", "seen"),
    [
        (60, 80, (192, 256)),  # enlarged to the least size
        (256, 100, (256, 128)),
        (300, 280, (320, 288)),  # as it is, the sides rounded up to whole cells
        (192, 320, (192, 320)),
        (3000, 4000, (256, 320)),  # reduced to the largest
        (20, 9000, (32, 320)),
    ],
)
def test_a_picture_is_seen_as_it_is_between_two_sizes(
    toy_detector: Callable, height: int, width: int, seen: tuple[int, int]
) -> None:
    detector = toy_detector(yunet.FAMILY, batch="n", fixed=None, size=320, least_size=256)
    shapes = watched(detector)
    detector.detect([picture(height, width)])
    assert shapes[0] == (1, 3, *seen)
    assert max(shapes[1]) == yunet.FAMILY.defaults.small_size


def test_a_least_size_above_the_size_counts_as_the_size(toy_detector: Callable) -> None:
    detector = toy_detector(yunet.FAMILY, batch="n", fixed=None, size=320, least_size=640, multi_scale="never")
    shapes = watched(detector)
    detector.detect([picture(320, 160), picture(1000, 500)])
    assert shapes == [(2, 3, 320, 160)]


def test_no_picture_of_any_size_makes_yunets_canvas_larger(toy_detector: Callable) -> None:
    detector = toy_detector(yunet.FAMILY, batch="n", fixed=None)
    shapes = watched(detector)
    detector.detect([picture(5000, 5000), picture(64, 64)])
    small = yunet.FAMILY.defaults.small_size
    assert shapes == [(1, 3, 960, 960), (1, 3, 640, 640), (2, 3, small, small)]


def test_a_second_small_look_finds_a_face_that_fills_the_picture(toy_detector: Callable) -> None:
    """A cell of 32 px on a canvas of 640 is bright only where 32 px are: a grey face fills all at 160 px."""
    pixels = np.zeros((640, 640, 3), np.uint8)
    pixels[::2] = pixels[:, ::2] = 255  # a raster, whose cells have 3/4 of full brightness at any size
    sparse = picture(640, 640, (0, 0, 128))
    fixed = {"fixed": (640, 640), "stride": 32, "score_threshold": 0.9}
    shapes = {}
    for mode in ("never", "auto", "always"):
        detector = toy_detector(scrfd.FAMILY, multi_scale=mode, **fixed)
        shapes[mode] = watched(detector)
        detector.detect([sparse, picture(640, 640)])
    assert [len(shapes[mode]) for mode in ("never", "auto", "always")] == [2, 3, 4]
    free = toy_detector(scrfd.FAMILY, batch="n", fixed=None, size=640, multi_scale="auto")
    seen = watched(free)
    free.detect([sparse])
    assert seen == [(1, 3, 640, 640), (1, 3, SMALL, SMALL)]


def test_a_faint_large_face_beside_a_sure_one_causes_a_second_look(toy_detector: Callable) -> None:
    """Boxes are three cells of 32 px wide, more than half of this picture."""
    detector = toy_detector(scrfd.FAMILY, stride=32, fixed=(128, 160), size=160, multi_scale="auto", small_size=64)
    runs = {}
    for name, (x, y), grey in (("apart", (96, 64), 25), ("the same", (32, 0), 25), ("too faint", (96, 64), 4)):
        seen = watched(detector)
        pixels = picture(128, 160, (0, 0, 32)).pixels
        pixels[y : y + 32, x : x + 32] = grey
        (found,) = detector.detect([Image(pixels, name)])
        assert (found.scores >= 0.5).all()  # what is faint is looked for again, never told
        runs[name] = len(seen)
    assert runs == {"apart": 2, "the same": 1, "too faint": 1}


def test_a_face_below_the_threshold_causes_a_second_look_however_sure(toy_detector: Callable) -> None:
    grey = Image(picture(128, 160, (48, 48, 16)).pixels // 10 * 7, "grey")
    runs = {}
    for threshold in (0.3, 0.6, 0.8):
        given = {"fixed": (128, 160), "size": 160, "small_size": 64, "multi_scale": "auto"}
        detector = toy_detector(scrfd.FAMILY, score_threshold=threshold, **given)
        seen = watched(detector)
        runs[threshold] = len(detector.detect([grey])[0]), len(seen)
    assert runs == {0.3: (1, 1), 0.6: (1, 1), 0.8: (0, 2)}


def test_looks_as_insightface_has_them(toy_detector: Callable) -> None:
    """Two whole squares where the file takes any size, the file's own where it does not."""
    given = {"multi_scale": "free", "small_size": 128, "square": True}
    free = toy_detector(scrfd.FAMILY, batch="n", fixed=None, **given)
    seen = watched(free)
    free.detect([picture(200, 320, (64, 96, 16))])
    assert seen == [(1, 3, 640, 640), (1, 3, 128, 128)]
    fixed = toy_detector(scrfd.FAMILY, fixed=(640, 640), **given)
    seen = watched(fixed)
    fixed.detect([picture(200, 320)])
    assert seen == [(1, 3, 640, 640)]


def test_both_looks_share_one_suppression_and_one_scale(toy_detector: Callable) -> None:
    whole = picture(640, 640, (256, 256, 128))  # a cell of 32 px at 160 px, and 16 cells of 32 px at 640
    once = toy_detector(scrfd.FAMILY, stride=32, batch="n", fixed=None, multi_scale="never").detect([whole])[0]
    twice = toy_detector(scrfd.FAMILY, stride=32, batch="n", fixed=None, multi_scale="always").detect([whole])[0]
    large = expected("scrfd", 64, 64, 32)[0]
    widths = twice.bboxes[:, 2] - twice.bboxes[:, 0]
    assert (once.bboxes[:, 2] - once.bboxes[:, 0]).max() == pytest.approx(96)
    np.testing.assert_allclose(twice.bboxes[widths.argmax()], np.array(large) * 4, atol=0.5)
    assert (np.diff(twice.scores) <= 0).all()


def watched(detector: SingleShotDetector) -> list[tuple[int, ...]]:
    """The shapes of what the network is given from now on."""
    shapes: list[tuple[int, ...]] = []
    inner = detector.network.session

    class Watch:
        input_shapes = inner.input_shapes

        def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
            shapes.append(next(iter(feeds.values())).shape)
            return inner.run(feeds)

    detector.network.session = Watch()
    return shapes


@pytest.mark.parametrize(
    "bad",
    [
        {"size": 31},
        {"least_size": 16},
        {"inside_threshold": 0},
        {"size": 640.5},
        {"size": 10_000},
        {"score_threshold": 0},
        {"score_threshold": float("nan")},
        {"nms_threshold": 1.5},
        {"multi_scale": "sometimes"},
        {"small_size": 16},
        {"small_size": 128.5},
    ],
)
def test_parameters_that_can_not_work_are_refused(toy_detector: Callable, bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="scrfd can not work with these parameters"):
        toy_detector(scrfd.FAMILY, **bad)


def test_a_second_look_that_would_not_be_smaller_is_refused_or_left_out(toy_detector: Callable) -> None:
    with pytest.raises(UsageError, match="small_size 160 is not below the 160 px of the first look"):
        toy_detector(scrfd.FAMILY, multi_scale="always", small_size=160)
    assert toy_detector(scrfd.FAMILY, multi_scale="auto", small_size=160).looks.mode == "never"


def test_a_size_that_the_file_does_not_take_is_refused(toy_detector: Callable) -> None:
    with pytest.raises(UsageError, match="takes pictures of 160x128 px alone, not of 320"):
        toy_detector(scrfd.FAMILY, size=320)
    assert toy_detector(scrfd.FAMILY, size=160)


def test_a_file_of_another_kind_is_refused(toy_detector: Callable) -> None:
    detector = toy_detector(scrfd.FAMILY)
    detector.network.layout = Layout(
        scrfd.decode, lambda canvas: scrfd.shapes(canvas)[:6]
    )  # of files without landmarks
    with pytest.raises(ModelError, match="this file has 9 outputs, scrfd with landmarks 6"):
        detector.detect([picture(64, 64)])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_outputs_of_another_shape_are_refused(toy_detector: Callable, family: Any) -> None:
    """A canvas of 128x160 px against maps of 128x128: numbers that another decoder would read without a word."""
    detector = toy_detector(family)
    inner = detector.network.session

    class Cut:
        input_shapes = inner.input_shapes

        def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
            return {name: output[:, :-1] for name, output in inner.run(feeds).items()}

    detector.network.session = Cut()
    with pytest.raises(ModelError, match=f"this file's output 0 is .*, of {family.name} it would be"):
        detector.detect([picture(128, 160)])


class Flat:
    """A session whose outputs have the rows of all pictures in one axis, as old exports of SCRFD."""

    def __init__(self, inner: Any, batch: int | None) -> None:
        ((name, shape),) = inner.input_shapes.items()
        self.input_shapes, self.inner, self.counts = {name: (batch, *shape[1:])}, inner, []

    def run(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        self.counts.append(len(next(iter(feeds.values()))))
        return {name: output.reshape(-1, output.shape[-1]) for name, output in self.inner.run(feeds).items()}


@pytest.mark.parametrize("family", [scrfd.FAMILY, yunet.FAMILY, retinaface.FAMILY], ids=lambda family: family.name)
def test_rows_of_several_pictures_in_one_axis_are_never_mixed(toy_detector: Callable, family: Any) -> None:
    detector = toy_detector(family, batch="n", fixed=None, size=160, multi_scale="never")
    pictures = [picture(128, 160, (16 * k, 32, 16)) for k in (1, 3, 6)]
    alone = [detector.detect([one])[0] for one in pictures]
    detector.network.session = flat = Flat(detector.network.session, None)
    for _ in range(2):
        for a, b in zip(alone, detector.detect(pictures), strict=True):
            assert len(a) == 1
            np.testing.assert_allclose(a.bboxes, b.bboxes, atol=1e-4)
    assert flat.counts == [3, 1, 1, 1, 1, 1, 1]  # what was learned once is kept


@pytest.mark.parametrize("family", FREE, ids=lambda family: family.name)
def test_a_square_of_any_size_is_one_that_the_network_takes(toy_detector: Callable, family: Any) -> None:
    detector = toy_detector(family, batch="n", fixed=None, size=150, multi_scale="never", square=True)
    (found,) = detector.detect([picture(128, 150, (48, 32, 16))])
    assert len(found) == 1


def test_the_small_look_fits_the_file(toy_detector: Callable) -> None:
    detector = toy_detector(scrfd.FAMILY, multi_scale="always", small_size=144)  # the file: 128 high, 160 wide
    tall = picture(300, 100)
    detector.detect([tall])
    assert detector.looks.second == (128, 144)


def test_a_file_of_several_pictures_that_mixes_them_is_refused(toy_detector: Callable) -> None:
    detector = toy_detector(scrfd.FAMILY, batch=3)
    detector.network.session = Flat(detector.network.session, 3)
    with pytest.raises(ModelError, match="takes 3 pictures and does not tell their faces apart"):
        detector.detect([picture(128, 160)])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_models_are_those_of_the_catalogue(family: Any) -> None:
    plugin = Registry(third_party=False).load("detectors", family.name, DetectorPlugin)
    assert [spec.id for spec in plugin.models] == [i for i in catalogue.model_ids() if i.startswith(f"{family.name}/")]
    assert f"{family.name}/{plugin.parameters['model']}" in [spec.id for spec in plugin.models]
    assert all(spec.kind == "detector" and spec.preprocessing is not None for spec in plugin.models)
    with pytest.raises(UsageError, match=rf"{family.name} has no model 'none'; it has .*{family.model}"):
        plugin.load(make_runtime([plugin], ModelStore()), {"model": "none"})


def test_only_the_model_that_runs_is_described(shared: Any, tmp_path: Any) -> None:
    store = ModelStore(tmp_path, mirror=str(shared / "models"), offline=True, accept_licence=True)
    choice = Choice("scrfd", parameters={"scrfd": {"model": "2.5g"}})
    tools = Toolbox(choice, Loader(Registry(third_party=False), store, device="cpu", threads=1))
    described = tools.describe(tools.detector_plugin)
    assert [model["id"] for model in described["models"]] == ["scrfd/2.5g"]
    assert described["models"][0]["provider"] == "CPUExecutionProvider"
