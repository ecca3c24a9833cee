"""YuNet at its defaults, through the command line: faces that fill the picture, far ones, and pictures without any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

FACE = (180, 60, 272, 180)  # of collins.jpg, by eye: left, top, right, bottom
PHONE = (3000, 4000)  # px; height and width of a picture of 12 megapixels


@pytest.fixture
def faces(run_cli: Callable, tmp_path: Path) -> Callable[..., list[list[dict[str, Any]]]]:
    """The faces that `facecli detect --detector yunet` tells of pictures, all in one run."""

    def detect(*pictures: np.ndarray, options: tuple[str, ...] = ()) -> list[list[dict[str, Any]]]:
        paths = [tmp_path / f"{number}.jpg" for number in range(len(pictures))]
        for path, pixels in zip(paths, pictures, strict=True):
            cv2.imwrite(str(path), pixels, (cv2.IMWRITE_JPEG_QUALITY, 98))
        done = run_cli("detect", *paths, "--detector", "yunet", *options, "--json")
        assert done.returncode == 0, done.errors
        return [image["faces"] for image in done.json["images"]]

    return detect


@pytest.fixture
def portrait(examples: Path) -> np.ndarray:
    """The portrait of one man, BGR."""
    return cv2.imread(str(examples / "collins.jpg"))


def cut(portrait: np.ndarray, margin: float) -> np.ndarray:
    """The face with so much of its sides around it; below 0: less than the face."""
    left, top, right, bottom = FACE
    across, down = round(margin * (right - left)), round(margin * (bottom - top))
    return portrait[top - down : bottom + down, left - across : right + across]


def overlap_with(face: dict[str, Any], box: tuple[float, float, float, float]) -> float:
    """Intersection over union of a face's box and another."""
    x1, y1, x2, y2 = face["bbox"]
    across, down = min(x2, box[2]) - max(x1, box[0]), min(y2, box[3]) - max(y1, box[1])
    shared = max(across, 0) * max(down, 0)
    return shared / ((x2 - x1) * (y2 - y1) + (box[2] - box[0]) * (box[3] - box[1]) - shared)


def test_a_face_that_fills_the_picture_is_one_face(faces: Callable, portrait: np.ndarray) -> None:
    """In small, as a chip of a data set, and in large, as a phone takes it."""
    tight = [cut(portrait, margin) for margin in (0.05, 0, -0.1)]
    large = [cv2.resize(picture, None, fx=20, fy=20) for picture in tight]
    for picture, found in zip([*tight, *large], faces(*tight, *large), strict=True):
        assert len(found) == 1
        height, width = picture.shape[:2]
        assert overlap_with(found[0], (0, 0, width, height)) > 0.7


def test_one_look_misses_it(faces: Callable, portrait: np.ndarray) -> None:
    """The second look is what finds it."""
    (found,) = faces(cut(portrait, -0.1), options=("-p", "yunet.multi_scale=never"))
    assert not any(overlap_with(face, (0, 0, 74, 96)) > 0.7 for face in found)


@pytest.mark.parametrize("part", [1 / 20, 1 / 40])
def test_a_small_face_in_a_large_picture_is_found(faces: Callable, portrait: np.ndarray, part: float) -> None:
    """A face of a twentieth of the height of 12 megapixels, upright and across, is found, and nothing else."""
    for height, width in (PHONE, PHONE[::-1]):
        pixels = background(height, width)
        side = round(part * height)
        scale = side / (FACE[3] - FACE[1])
        small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = height // 3, width // 2
        pixels[top : top + small.shape[0], left : left + small.shape[1]] = small
        (found,) = faces(pixels)
        assert len(found) == 1
        box = tuple(edge * scale + start for edge, start in zip(FACE, (left, top, left, top), strict=True))
        assert overlap_with(found[0], box) > 0.5


def test_a_portrait_of_36_megapixels_has_one_face(faces: Callable, portrait: np.ndarray) -> None:
    """Neither the shirt nor the background is one, however large they are."""
    (found,) = faces(cv2.resize(portrait, (6000, 6000), interpolation=cv2.INTER_CUBIC))
    assert len(found) == 1
    scale = 6000 / portrait.shape[0]
    assert overlap_with(found[0], tuple(edge * scale for edge in FACE)) > 0.5


def test_both_a_near_face_and_a_far_one_are_found(faces: Callable, portrait: np.ndarray) -> None:
    near = cv2.resize(cut(portrait, 0), (1500, 1957))
    pixels = background(2000, 2000)
    pixels[40:1997, :1500] = near
    pixels[200:370, 1700:1846] = cv2.resize(portrait, (146, 170), interpolation=cv2.INTER_AREA)
    (found,) = faces(pixels)
    assert len(found) == 2
    widths = sorted(face["bbox"][2] - face["bbox"][0] for face in found)
    assert widths[0] < 60
    assert widths[1] > 1000


def test_an_eye_is_no_face(faces: Callable, examples: Path) -> None:
    """The large look takes one half of this face for a face, too: a box inside the one of the small look."""
    tight = cv2.imread(str(examples / "hopper.jpg"))[141:283, 168:287]
    (kept,) = faces(tight, options=("-p", "yunet.inside_threshold=1"))
    (found,) = faces(tight)
    assert [len(kept), len(found)] == [2, 1]
    assert found[0] == kept[0]


def test_no_face_is_found_where_there_is_none(faces: Callable) -> None:
    """Noise of several grains, stripes, checks, gradients, leaves: in 640 px and, the same, in 36 megapixels."""
    made = textures()
    assert [len(found) for found in faces(*made)] == [0] * len(made)
    huge = [cv2.resize(pixels, (7360, 4912)) for pixels in made[:3]]
    assert [len(found) for found in faces(*huge)] == [0] * len(huge)


def background(height: int, width: int) -> np.ndarray:
    """A coarse pattern of greens and browns, as a meadow out of focus."""
    random = np.random.default_rng(7)
    coarse = random.integers((20, 90, 60), (60, 150, 110), (12, 16, 3)).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def textures() -> list[np.ndarray]:
    """Pictures without anything."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[:480, :640]
    noise = [cv2.resize(random.integers(0, 256, (480 // k, 640 // k, 3), np.uint8), (640, 480)) for k in (1, 8, 40)]
    waves = [np.dstack([127 + 127 * np.sin(x / step) * np.sin(y / step)] * 3).astype(np.uint8) for step in (5, 20, 60)]
    checks = [np.dstack([(x // step + y // step) % 2 * 255] * 3).astype(np.uint8) for step in (8, 64)]
    leaves = np.full((480, 640, 3), (40, 80, 50), np.uint8)
    for _ in range(3000):
        centre, axes = random.integers(0, 640, 2), random.integers(2, 14, 2)
        colour = [int(value) for value in random.integers((20, 60, 30), (90, 170, 120))]
        cv2.ellipse(leaves, centre.tolist(), axes.tolist(), int(random.integers(180)), 0, 360, colour, -1)
    plain = [np.full((480, 640, 3), value, np.uint8) for value in (0, 128, 255)]
    return [*noise, leaves, *waves, *checks, *plain]
