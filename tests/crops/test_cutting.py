"""Crops against the projects that they are those of, and faces at the edge, outside, or absurd."""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.geometry import similarity_transform
from facecli.types import Detections, Image

TEMPLATE = ((30.0, 30.0), (70.0, 30.0), (50.0, 50.0), (35.0, 75.0), (65.0, 75.0))
SPEC = CropSpec(100, 100, TEMPLATE)


def picture(scale: float, angle: float) -> tuple[Image, Detections]:
    """Five discs of different colours where the template's points are, turned, scaled and shifted."""
    size = 1000
    turn = cv2.getRotationMatrix2D((50, 50), angle, scale)
    turn[:, 2] += size / 2 - 50
    canvas = np.zeros((size, size, 3), np.uint8)
    points = np.array(TEMPLATE) @ turn[:, :2].T + turn[:, 2]
    for number, (x, y) in enumerate(points):
        cv2.circle(canvas, (round(x), round(y)), max(2, round(4 * scale)), (250, 50 * number, 120), cv2.FILLED)
    box = np.concatenate([points.min(0), points.max(0)]).astype(np.float32)[None]
    return Image(canvas, "x"), Detections(box, np.float32([1]), points.astype(np.float32)[None])


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.3, 7.0])
@pytest.mark.parametrize("angle", [0, 33, 170])
def test_landmarks_land_on_the_template(scale: float, angle: float) -> None:
    crop = cutting.cut(*picture(scale, angle), SPEC)[0]
    for number, (x, y) in enumerate(TEMPLATE):
        assert np.abs(crop[int(y), int(x)].astype(int) - [250, 50 * number, 120]).max() < 40, (
            number,
            crop[int(y), int(x)],
        )


def test_a_large_face_is_averaged_not_skipped_over() -> None:
    """A fine chequerboard must turn grey: a plain bilinear warp picks single pixels and leaves a pattern."""
    board = (np.indices((2000, 2000)).sum(0) % 2 * 255).astype(np.uint8)
    image = Image(np.repeat(board[:, :, None], 3, 2), "x")
    points = (np.array(TEMPLATE, np.float32) * 19)[None]
    face = Detections(np.float32([[0, 0, 1900, 1900]]), np.float32([1]), points)
    crop = cutting.cut(image, face, SPEC)[0]
    assert np.abs(crop[5:-5, 5:-5].astype(int) - 127).max() < 20


def test_no_faces_no_crops() -> None:
    image, _ = picture(1, 0)
    assert cutting.cut(image, Detections.empty(landmarks=True), SPEC).shape == (0, 100, 100, 3)


def test_faces_without_landmarks_are_aligned_by_where_they_usually_lie() -> None:
    image, faces = picture(1, 0)
    usual = cutting.usual_points(faces.bboxes)
    assert usual.shape == (len(faces), 5, 2)
    by_box = cutting.cut(image, Detections(faces.bboxes, faces.scores), SPEC)
    assert np.array_equal(by_box, cutting.cut(image, Detections(faces.bboxes, faces.scores, usual), SPEC))
    assert not np.array_equal(by_box, cutting.cut(image, faces, SPEC))
    assert cutting.cut(image, Detections.empty(landmarks=False), SPEC).shape == (0, 100, 100, 3)
    box = np.float32([[10, 20, 110, 220]])
    np.testing.assert_allclose(cutting.usual_points(box)[0, :2], [[42, 98], [78, 98]], atol=1e-3)


def test_a_bbox_crop_with_margin_is_centred_and_black_outside() -> None:
    canvas = np.zeros((40, 40, 3), np.uint8)
    canvas[:20, :10] = 200
    face = Detections(np.float32([[0, 0, 10, 20]]), np.float32([1]))
    exact = cutting.cut(Image(canvas, "x"), face, CropSpec(10, 20))[0]
    assert (exact == 200).all()
    wide = cutting.cut(Image(canvas, "x"), face, CropSpec(40, 40, margin=0.5, square=True))[0]
    assert (wide[:, :5] == 0).all()  # what lies left of the picture
    assert (wide[15:25, 17:23] == 200).all()


def test_a_face_half_outside_or_absurdly_small_still_gives_a_crop() -> None:
    image, faces = picture(1, 0)
    for shift in (-700.0, 700.0, 1e5):
        away = Detections(faces.bboxes + np.float32(shift), faces.scores, faces.landmarks + np.float32(shift))  # type: ignore[operator]
        assert cutting.cut(image, away, SPEC).shape == (1, 100, 100, 3)
    point = Detections(faces.bboxes * 0, faces.scores, faces.landmarks * 0)  # type: ignore[operator]
    assert cutting.cut(image, point, SPEC).shape == (1, 100, 100, 3)


def test_the_whole_picture_as_a_crop() -> None:
    image, _ = picture(1, 0)
    assert cutting.whole(image, CropSpec(48, 64)).shape == (1, 64, 48, 3)


def former(image: Image, detections: Detections) -> np.ndarray:
    """The warp as it was before the part that is shown was cut out first."""
    matrix = similarity_transform(detections.landmarks[0], np.float32(TEMPLATE))  # type: ignore[index]
    return np.asarray(cv2.warpAffine(image.pixels, matrix, (100, 100), flags=cv2.INTER_LINEAR))


@pytest.mark.parametrize("scale", [0.3, 0.6, 1.0, 1.7])
@pytest.mark.parametrize("shift", [0.0, -480.0, 437.3])
def test_cutting_first_changes_nothing(scale: float, shift: float) -> None:
    image, faces = picture(scale, 33)
    noise = np.random.default_rng(0).integers(0, 256, image.pixels.shape, dtype=np.uint8)
    image = Image(cv2.GaussianBlur(noise, (0, 0), 2), "x")  # type: ignore[arg-type]
    points = faces.landmarks + np.float32(shift)  # type: ignore[operator]
    moved = Detections(faces.bboxes + np.float32(shift), faces.scores, points)
    crop = cutting.cut(image, moved, SPEC)[0]
    assert np.abs(crop.astype(int) - former(image, moved)).max() <= 2


def test_a_panorama_wider_than_opencv_warps() -> None:
    canvas = np.zeros((100, 40_000, 3), np.uint8)
    canvas[20:80, 35_020:35_080] = 200
    points = (np.float32(TEMPLATE) + np.float32([35_000, 0]))[None]
    face = Detections(np.float32([[35_000, 0, 35_100, 100]]), np.float32([1]), points)
    crop = cutting.cut(Image(canvas, "x"), face, SPEC)[0]
    assert (crop[25:75, 25:75] == 200).all()
    assert (crop[:15] == 0).all()


@pytest.mark.parametrize("shape", [(1, 40_000), (40_000, 1), (2, 1_000_000)])
def test_a_box_as_long_as_a_sliver(shape: tuple[int, int]) -> None:
    image = Image(np.full((*shape, 3), 200, np.uint8), "x")
    for box in ([0, 0, shape[1], shape[0]], [-1e30, -1e30, 1e30, 1e30]):
        face = Detections(np.float32([box]), np.float32([1]))
        for spec in (CropSpec(48, 64), CropSpec(48, 64, margin=0.2, square=True)):
            assert cutting.cut(image, face, spec).shape == (1, 64, 48, 3)


def test_landmarks_that_are_mirrored_have_no_crop_but_no_failure() -> None:
    image, faces = picture(1, 0)
    points = faces.landmarks.copy()  # type: ignore[union-attr]
    points[:] = np.float32([[[10, 0], [-10, 0], [0, 0], [0, 0], [0, 0]]])
    for far in (np.float32(0), np.float32(1e30)):
        cutting.cut(image, Detections(faces.bboxes, faces.scores, points * far), SPEC)


# Crops of whole pixels, as other projects cut them.


@pytest.fixture
def extract_face(torch, monkeypatch):
    """facenet-pytorch's own. It takes two functions from torchvision, whose wheel is built for CUDA: they stand in."""
    if find_spec("facenet_pytorch") is None:
        pytest.skip("needs facenet-pytorch")
    names = ("torchvision", "torchvision.transforms", "torchvision.ops", "torchvision.ops.boxes")
    vision, transforms, operators, boxes = (ModuleType(name) for name in names)
    transforms.functional = SimpleNamespace(to_tensor=lambda pixels: pixels)
    boxes.batched_nms = None
    vision.transforms, vision.ops, operators.boxes = transforms, operators, boxes
    for name, module in zip(names, (vision, transforms, operators, boxes), strict=True):
        monkeypatch.setitem(sys.modules, name, module)
    for name in [name for name in sys.modules if name.partition(".")[0] == "facenet_pytorch"]:
        monkeypatch.delitem(sys.modules, name)
    folder = find_spec("facenet_pytorch").submodule_search_locations[0]
    spec = spec_from_file_location("detect_face", Path(folder) / "models" / "utils" / "detect_face.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.extract_face


@pytest.mark.parametrize("margin", [0, 14, 32])
@pytest.mark.parametrize("kind", ["antialias", "area"])
def test_a_clipped_crop_is_that_of_facenet_pytorch(extract_face, kind: str, margin: int) -> None:
    """It resizes a Pillow picture with Pillow's BILINEAR, an array with OpenCV's area."""
    pillow = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (240, 260, 3), dtype=np.uint8)
    given = pillow.fromarray(pixels) if kind == "antialias" else pixels
    spec = CropSpec(160, 160, margin=margin / (2 * (160 - margin)), outside="clip", resample=kind)
    faces = Detections(np.float32(BOXES), np.ones(len(BOXES), np.float32))
    ours = cutting.cut(Image(pixels, "x"), faces, spec)
    for box, crop in zip(faces.bboxes, ours, strict=True):
        theirs = extract_face(given, box, 160, margin)
        assert np.abs(crop - theirs).max() <= (1 if kind == "antialias" else 0)  # Pillow's order of axes varies


BOXES = [
    [10.7, 20.2, 90.9, 130.6],
    [-30.5, -12.1, 60.3, 80.9],
    [150.2, 140.8, 260.0, 300.0],
    [100, 100, 101.5, 101.5],
    [0, 0, 250, 250],
    [33.333332, 47.999996, 66.66667, 151.00002],
]


def silent_face_box(box, scale, width, height):
    """The crop of Silent-Face-Anti-Spoofing's generate_patches.CropImage, from its description: corners, inclusive."""
    x, y, w, h = box[0], box[1], box[2] - box[0], box[3] - box[1]
    scale = min((height - 1) / h, (width - 1) / w, scale)
    new_width, new_height = w * scale, h * scale
    centre_x, centre_y = w / 2 + x, h / 2 + y
    left, top = centre_x - new_width / 2, centre_y - new_height / 2
    right, bottom = centre_x + new_width / 2, centre_y + new_height / 2
    if left < 0:
        left, right = 0, right - left
    if top < 0:
        top, bottom = 0, bottom - top
    if right > width - 1:
        left, right = left - (right - width + 1), width - 1
    if bottom > height - 1:
        top, bottom = top - (bottom - height + 1), height - 1
    return int(left), int(top), int(right), int(bottom)


@pytest.mark.parametrize("scale", [1.0, 2.7, 4.0])
@pytest.mark.parametrize("box", [[10, 20, 90, 130], [0, 0, 40, 50], [200, 190, 249, 249], [100, 90, 130, 140]])
def test_a_shifted_crop_is_that_of_silent_face(box, scale: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (240, 260, 3), dtype=np.uint8)
    left, top, right, bottom = silent_face_box(box, scale, 260, 240)
    theirs = cv2.resize(pixels[top : bottom + 1, left : right + 1], (80, 80))
    spec = CropSpec(80, 80, margin=(scale - 1) / 2, outside="shift", resample="linear")
    ours = cutting.cut(Image(pixels, "x"), Detections(np.float32([box]), np.float32([1])), spec)[0]
    np.testing.assert_array_equal(ours, theirs)


def deepface_crop(pixels, box, eyes):
    """deepface 0.0.103's extract_face with align=True, from its description; eyes: image-left and image-right one."""
    height, width = pixels.shape[:2]
    top, left = int(0.5 * height), int(0.5 * width)
    framed = cv2.copyMakeBorder(pixels, top, top, left, left, cv2.BORDER_CONSTANT, value=[0, 0, 0])
    x, y, w, h = box[0] + left, box[1] + top, box[2] - box[0], box[3] - box[1]
    far, deep = int(0.5 * w), int(0.5 * h)
    around = framed[y - deep : y + h + deep, x - far : x + w + far]
    if eyes is not None:
        angle = float(np.degrees(np.arctan2(eyes[1][1] - eyes[0][1], eyes[1][0] - eyes[0][0])))
        rows, columns = around.shape[:2]
        turn = cv2.getRotationMatrix2D((columns // 2, rows // 2), angle, 1.0)
        around = cv2.warpAffine(around, turn, (columns, rows), flags=cv2.INTER_CUBIC)
    return around[deep : deep + h, far : far + w]


@pytest.mark.parametrize("box", [[60, 70, 140, 161], [100, 50, 201, 151], [0, 20, 90, 150]])
@pytest.mark.parametrize("eyes", [None, [[80, 100], [120, 100]], [[80, 100], [120, 121]], [[110, 90], [70, 80]]])
def test_an_upright_crop_is_that_of_deepface(box, eyes) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 260, 3), dtype=np.uint8)
    pixels = cv2.GaussianBlur(noise, (0, 0), 3)
    theirs = deepface_crop(pixels, box, eyes)
    points = None if eyes is None else np.float32([[*eyes, [100, 120], [90, 140], [110, 140]]])
    columns, rows = box[2] - box[0], box[3] - box[1]
    spec = CropSpec(columns, rows, resample="linear", fit="pad", upright=True)
    ours = cutting.cut(Image(pixels, "x"), Detections(np.float32([box]), np.float32([1]), points), spec)[0]
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_a_crop_of_whole_pixels_beyond_the_edge_is_filled_up_with_black() -> None:
    image = Image(np.full((40, 50, 3), 200, np.uint8), "x")
    face = Detections(np.float32([[-10, 30, 10, 50]]), np.float32([1]))
    crop = cutting.cut(image, face, CropSpec(20, 20, resample="area"))[0]
    assert (crop[:10, 10:] == 200).all()
    assert not crop[10:].any()
    assert not crop[:, :10].any()


def test_a_crop_beyond_the_picture_is_black_however_it_is_cut() -> None:
    image = Image(np.full((40, 50, 3), 200, np.uint8), "x")
    away = Detections(np.float32([[900, 900, 990, 990]]), np.float32([1]))
    for fit in ("stretch", "pad"):
        spec = CropSpec(20, 30, outside="clip", resample="linear", fit=fit)
        assert not cutting.cut(image, away, spec).any()
    shifted = CropSpec(20, 30, outside="shift", resample="linear", margin=1.0)
    assert (cutting.cut(image, away, shifted) == 200).all()
    dot = Image(np.full((1, 1, 3), 200, np.uint8), "x")
    assert cutting.cut(dot, away, shifted).shape == (1, 30, 20, 3)


@pytest.mark.parametrize("box", [[0, 0, 9, 9], [-1e30, -1e30, 1e30, 1e30], [1e30, 1e30, 2e30, 2e30]])
def test_an_absurd_box_is_no_failure(box) -> None:
    face = Detections(np.float32([box]), np.float32([1]))
    points = np.float32([[[0, 0], [9, 3], [5, 5], [1, 9], [9, 9]]])
    for outside in ("clip", "shift", "black"):
        spec = CropSpec(48, 64, None, 0.5, True, outside, "antialias", upright=outside == "black")
        for shape in ((1, 1), (1, 5000), (100, 80), (1, 40_000)):
            image = Image(np.zeros((*shape, 3), np.uint8), "x")
            for landmarks in (None, points):
                faces = Detections(face.bboxes, face.scores, landmarks)
                assert cutting.cut(image, faces, spec).shape == (1, 64, 48, 3)


def test_a_whole_picture_is_fitted_as_a_crop_is() -> None:
    image = Image(np.full((50, 100, 3), 200, np.uint8), "x")
    crop = cutting.whole(image, CropSpec(60, 60, outside="clip", resample="linear", fit="pad"))[0]
    assert not crop[:15].any()
    assert (crop[15:45] == 200).all()


@pytest.mark.parametrize(
    "given",
    [
        {"outside": "clip"},
        {"fit": "pad"},
        {"upright": True},
        {"resample": "area", "template": TEMPLATE},
        {"resample": "area", "outside": "clip", "upright": True},
    ],
)
def test_combinations_without_a_meaning_are_refused(given) -> None:
    with pytest.raises(ValueError, match="crop"):
        CropSpec(10, 10, **given)
