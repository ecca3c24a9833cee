"""The forms in which a program hands a picture over, and the errors for values that are none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

import facecli
from facecli import Faces
from facecli.errors import DecodeError, FacecliError, FetchError, InputError, UsageError
from facecli.types import Limits


def box(faces: Faces, picture: Any) -> list[float]:
    (face,) = faces.detect(picture).faces
    assert face.bbox is not None
    return face.bbox.tolist()


def test_every_form_of_a_picture_gives_the_same_face(faces: Faces, examples: Path, server: str) -> None:
    path = examples / "collins.jpg"
    expected = box(faces, str(path))
    data = path.read_bytes()
    for form in (path, f"{server}/picture_.jpg", data, bytearray(data), memoryview(data), facecli.read(path)):
        assert box(faces, form) == expected
    (picture,) = faces.run([f"{server}/picture_.jpg"])
    assert picture.source == f"{server}/picture_.jpg"
    with Pil.open(path) as opened:  # another decoder of JPEG: values differ by a few grey levels
        assert box(faces, opened) == pytest.approx(expected, abs=2)


def test_read_gives_rgb_and_upright_pixels(examples: Path, tmp_path: Path) -> None:
    red = tmp_path / "red.png"
    Pil.new("RGB", (6, 4), (200, 30, 10)).save(red)
    pixels = facecli.read(red)
    assert (pixels.shape, pixels.dtype) == ((4, 6, 3), np.uint8)
    assert pixels[0, 0].tolist() == [200, 30, 10]
    bgr = cv2.imread(str(examples / "hopper.jpg"))
    assert np.abs(facecli.read(str(examples / "hopper.jpg")).astype(int) - bgr[..., ::-1]).max() <= 2
    with pytest.raises(DecodeError, match="6x4 pixels, the limit is 23"):
        facecli.read(red, limits=Limits(max_pixels=23))


def test_an_orientation_of_exif_is_applied(faces: Faces, examples: Path, tmp_path: Path) -> None:
    with Pil.open(examples / "collins.jpg") as upright:
        expected = box(faces, upright)
        turned = upright.transpose(Pil.Transpose.ROTATE_90)
        exif = Pil.Exif()
        exif[0x0112] = 6  # turn by 90 degrees clockwise to see it
        turned.save(tmp_path / "turned.png", exif=exif)
    with Pil.open(tmp_path / "turned.png") as picture:
        assert box(faces, picture) == pytest.approx(expected, abs=1e-3)
    assert box(faces, tmp_path / "turned.png") == pytest.approx(expected, abs=1e-3)


def test_arrays_of_names_are_many_pictures(faces: Faces, examples: Path) -> None:
    names = np.array([str(examples / "collins.jpg"), str(examples / "hopper.jpg")])
    assert [picture.source for picture in faces.run(names)] == names.tolist()
    assert [picture.source for picture in faces.run(names.astype(object))] == names.tolist()
    (encoded,) = faces.run(np.frombuffer((examples / "hopper.jpg").read_bytes(), np.uint8))
    assert isinstance(encoded.error, InputError)


WRONG: list[tuple[Any, type[FacecliError], str]] = [
    (None, UsageError, "NoneType is not a picture"),
    (7, UsageError, "int is not a picture"),
    (io.BytesIO(b"x"), UsageError, "BytesIO is not a picture"),
    (np.zeros((4, 4, 3)), InputError, "float64"),
    (np.zeros((4, 4), np.uint8), InputError, "repeat the grey channel"),
    (np.zeros((4, 4, 4), np.uint8), InputError, "leave the alpha channel out"),
    (np.zeros((0, 4, 3), np.uint8), InputError, "is empty"),
    (np.zeros((2, 4, 4, 3), np.uint8), InputError, "give one picture"),
    (b"", DecodeError, "bytes"),
    (b"words", DecodeError, "bytes is text, not a picture"),
    ("nobody.jpg", InputError, "can not read nobody.jpg"),
    ("a\0b", InputError, "can not read"),
    ("file:///nobody.jpg", FetchError, "only http and https"),
]


@pytest.mark.parametrize(("value", "error", "message"), WRONG, ids=lambda value: type(value).__name__)
def test_a_value_that_is_no_picture(faces: Faces, value: Any, error: type[FacecliError], message: str) -> None:
    for call in (faces.detect, faces.embed, faces.analyze, lambda value: faces.verify(value, value)):
        with pytest.raises(error, match=message) as raised:
            call(value)
        assert not isinstance(raised.value, (ValueError, TypeError))
        assert "--" not in str(raised.value)
    (picture,) = faces.run([value])
    assert isinstance(picture.error, error)
    assert message in str(picture.error)
    assert picture.faces == () and picture.record()["error"]["code"] == error.code
    with pytest.raises(error, match=message):
        list(faces.run([value], errors="raise"))


def test_one_bad_picture_does_not_end_the_run(faces: Faces, examples: Path) -> None:
    good = examples / "hopper.jpg"
    pictures = list(faces.run([good, None, np.zeros((1, 1)), examples / "CREDITS.md", good]))
    assert [picture.error is None for picture in pictures] == [True, False, False, False, True]
    raising = faces.run([good, None, good], errors="raise")
    assert next(raising).error is None
    with pytest.raises(UsageError):
        next(raising)


def test_the_second_picture_of_a_pair_fails_too(faces: Faces) -> None:
    with pytest.raises(InputError, match=r"a\.jpg") as raised:
        faces.verify("a.jpg", "b.jpg")
    assert [str(error) for _, error in raised.value.further] == [
        "can not read b.jpg: no such file or directory; check the name"
    ]


def test_limits_of_a_picture(examples: Path, server: str) -> None:
    hopper = examples / "hopper.jpg"
    with Faces(max_pixels=1000) as few, Pil.open(hopper) as opened:
        for form in (hopper, facecli.read(hopper), opened):
            with pytest.raises(DecodeError, match="raise max_pixels if you trust it"):
                few.detect(form)
    with Faces(max_bytes=1000) as small, pytest.raises(InputError, match="raise max_bytes if you trust it"):
        small.detect(hopper)
    with Faces(timeout=0.2) as quick, pytest.raises(FetchError):
        quick.detect(f"{server}/silent")
