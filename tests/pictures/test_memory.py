"""Pictures in memory: bytes, arrays and Pillow images become what the command line reads from files."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageOps

from facecli.errors import DecodeError, FacecliError, InputError, UsageError
from facecli.pictures import codec
from facecli.pictures.memory import from_array, from_bytes, from_pil, open_any
from facecli.pictures.sources import Source, single
from facecli.types import Image, Limits

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
ORIENTATION = 0x0112


def image_of(value: object, limits: Limits | None = None) -> Image:
    opened = open_any(value, limits)
    assert isinstance(opened, Image)
    return opened


def source_of(value: object) -> Source:
    opened = open_any(value)
    assert isinstance(opened, Source)
    return opened


def png() -> bytes:
    buffer = io.BytesIO()
    Pil.fromarray(PIXELS).save(buffer, "PNG")
    return buffer.getvalue()


# Names and bytes


@pytest.mark.parametrize("path", ["a.png", Path("a.png")])
def test_a_path_is_read_from_the_disk(path: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(png())
    source = source_of(path)
    assert (source.name, source.read(Limits())) == ("a.png", png())


def test_a_path_of_bytes_names_its_file() -> None:
    class OddPath(os.PathLike[bytes]):
        def __fspath__(self) -> bytes:
            return b"a\xff.png"

    assert source_of(OddPath()) == single("a\udcff.png")


def test_a_url_is_fetched_later() -> None:
    assert source_of("https://example.org/a.jpg").name == single("https://example.org/a.jpg").name


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_a_picture_file(kind: Any) -> None:
    source = source_of(kind(png()))
    assert np.array_equal(codec.decode(source.read(Limits()), source.name, Limits()).pixels, PIXELS)
    assert source.name == "bytes"


def test_bytes_are_copied() -> None:
    data = bytearray(b"first")
    source = from_bytes(data, "camera")
    data[:] = b"later"
    assert (source.name, source.read(Limits())) == ("camera", b"first")


def test_bytes_above_the_limit_are_refused_when_they_are_read() -> None:
    with pytest.raises(InputError, match=r"camera is too large: more than 3 bytes; raise max_bytes"):
        from_bytes(b"1234", "camera").read(Limits(max_bytes=3))
    assert from_bytes(b"123").read(Limits(max_bytes=3)) == b"123"


def test_sources_and_images_stay_as_they_are() -> None:
    source, image = single("a.png"), Image(PIXELS, "a")
    assert open_any(source) is source
    assert open_any(image) is image


# Arrays


def test_an_array_is_its_own_pixels() -> None:
    image = image_of(PIXELS)
    assert np.shares_memory(image.pixels, PIXELS)
    assert (image.source, image.width, image.height) == ("array", 6, 4)


def test_an_array_in_another_order_is_copied() -> None:
    image = from_array(PIXELS[:, ::-1, ::-1], "camera")
    assert image.pixels.flags.c_contiguous
    assert np.array_equal(image.pixels, PIXELS[:, ::-1, ::-1])
    assert image.source == "camera"


@pytest.mark.parametrize(
    ("pixels", "shape", "hint"),
    [
        (PIXELS[..., 0], "(4, 6) uint8", "repeat the grey channel"),
        (PIXELS[..., :1], "(4, 6, 1) uint8", "repeat the grey channel"),
        (PIXELS.astype(np.float32) / 255, "(4, 6, 3) float32", "scale its values to 0 to 255"),
        (PIXELS.astype(np.int64), "(4, 6, 3) int64", "scale its values to 0 to 255"),
        (np.zeros((4, 6, 4), np.uint8), "(4, 6, 4) uint8", "leave the alpha channel out"),
        (PIXELS.transpose(2, 0, 1), "(3, 4, 6) uint8", "put the channels last"),
        (PIXELS[None], "(1, 4, 6, 3) uint8", "give one picture"),
        (np.zeros(0, np.uint8), "(0,) uint8", "give one picture"),
        (np.array(None), "() object", "scale its values"),
    ],
)
def test_an_array_of_another_kind_is_refused(pixels: Any, shape: str, hint: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"array is {shape}, not RGB (H, W, 3) uint8; {hint}")):
        open_any(pixels)


@pytest.mark.parametrize("shape", [(0, 6, 3), (4, 0, 3)])
def test_an_array_without_pixels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=rf"array is empty: {shape[1]}x{shape[0]} pixels"):
        open_any(np.zeros(shape, np.uint8))


def test_an_array_above_the_limit_is_refused() -> None:
    message = "array is too large: 6x4 pixels, the limit is 23; raise max_pixels if you trust it"
    with pytest.raises(DecodeError, match=message):
        open_any(PIXELS, Limits(max_pixels=23))
    assert image_of(PIXELS, Limits(max_pixels=24)).width == 6


# Pillow images


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "P", "CMYK", "YCbCr", "HSV"])
def test_a_pillow_image_becomes_rgb(mode: str) -> None:
    picture = Pil.fromarray(PIXELS).convert(mode)
    image = image_of(picture)
    assert np.array_equal(image.pixels, np.asarray(picture.convert("RGB")))
    assert image.source == "picture"


@pytest.mark.parametrize("orientation", [None, *range(10)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_the_orientation_of_a_pillow_image_is_applied(orientation: int | None, kind: str) -> None:
    exif = Pil.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    buffer = io.BytesIO()
    Pil.fromarray(PIXELS).save(buffer, kind, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Pil.open(buffer)).convert("RGB"))
    assert np.array_equal(image_of(Pil.open(buffer)).pixels, upright)


def test_a_pillow_image_has_the_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    with Pil.open(tmp_path / "a.png") as picture:
        assert image_of(picture).source == str(tmp_path / "a.png")
        assert from_pil(picture, "door").source == "door"


def test_a_pillow_image_is_recognised_by_its_base_class() -> None:
    class Photo(Pil.Image):
        pass

    photo = Photo()
    photo.__dict__.update(Pil.fromarray(PIXELS).__dict__)
    assert np.array_equal(image_of(photo).pixels, PIXELS)


@pytest.mark.parametrize("mode", ["I", "F", "I;16"])
def test_a_pillow_image_of_more_than_8_bits_is_refused(mode: str) -> None:
    with pytest.raises(InputError, match=f"picture has pixels of mode {mode}, not of 8 bits; scale"):
        open_any(Pil.new(mode, (6, 4)))


def test_a_pillow_image_without_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="picture is empty: 0x4 pixels"):
        open_any(Pil.new("RGB", (0, 4)))


def test_a_pillow_image_above_the_limit_is_refused_before_it_is_decoded() -> None:
    picture = Pil.open(io.BytesIO(png()))
    with pytest.raises(DecodeError, match="6x4 pixels, the limit is 23"):
        open_any(picture, Limits(max_pixels=23))
    assert picture.fp is not None  # which Pillow closes once it has decoded the pixels


def test_a_truncated_pillow_image_can_not_be_decoded() -> None:
    with pytest.raises(DecodeError, match=r"^picture can not be decoded: .*; open it again"):
        open_any(Pil.open(io.BytesIO(png()[:60])))


# Anything else


@pytest.mark.parametrize("value", [None, 3, [PIXELS], {"picture": PIXELS}, io.BytesIO(png())])
def test_anything_else_is_no_picture(value: object) -> None:
    with pytest.raises(UsageError, match=f"{type(value).__name__} is not a picture; give a path, a URL, bytes"):
        open_any(value)


def test_every_refusal_has_a_hint() -> None:
    for value in (None, PIXELS[0], np.zeros((0, 1, 3), np.uint8), Pil.new("F", (1, 1))):
        with pytest.raises(FacecliError) as failure:
            open_any(value)
        assert failure.value.hint


def test_pillow_is_not_imported() -> None:
    code = "import sys, facecli.pictures.memory as m; m.open_any(b''); sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
