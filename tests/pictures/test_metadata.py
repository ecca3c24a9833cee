"""What a picture file holds beside its pixels is found, and damage in it is passed over."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from facecli.anonymise import picture
from facecli.pictures.metadata import metadata_of
from facecli.types import Limits

Pillow: Any = pytest.importorskip("PIL.Image", reason="making metadata needs Pillow")


def file_of(form: str, orientation: int = 1, **more: Any) -> bytes:
    """A picture of 5 x 7 blocks with a transparent corner, a position, and a colour profile."""
    from PIL import ImageCms

    blocks = np.random.default_rng(0).integers(0, 255, (5, 7, 4)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    blocks[..., 3] = 255
    blocks[:16, :24, 3] = 0
    image = Pillow.fromarray(blocks if form != "JPEG" else blocks[..., :3])
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = io.BytesIO()
    image.save(content, form, exif=exif, icc_profile=profile, **{"lossless": True} if form == "WEBP" else {}, **more)
    return content.getvalue()


@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_transparency_lies_as_the_pixels_do(form, orientation):
    from PIL import ImageOps

    data = file_of(form, orientation)
    original = picture.opened(data, "a picture", Limits())
    upright = ImageOps.exif_transpose(Pillow.open(io.BytesIO(data)))
    assert original.image.pixels.shape[:2] == np.asarray(upright).shape[:2]
    if form == "JPEG":
        assert original.alpha is None
    else:
        assert np.array_equal(original.alpha, np.asarray(upright.convert("RGBA"))[..., 3])
    assert original.metadata.orientation == orientation
    assert original.metadata.profile
    assert original.left_out() == ("EXIF", "GPS position")


def test_a_thumbnail_and_words():
    from PIL import PngImagePlugin

    words = PngImagePlugin.PngInfo()
    words.add_text("Author", "Ada")
    words.add_itxt("XML:com.adobe.xmp", "<x/>")
    assert metadata_of(file_of("PNG", pnginfo=words) + b"more", "PNG").kinds == (
        *("text", "XMP", "EXIF", "GPS position", "data behind the picture"),
    )
    entry = b"\x12\x01\x03\x00\x01\x00\x00\x00\x03\x00\x00\x00"
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + b"\x1a\0\0\0" + b"\0\0\0\0\0\0"
    jpeg = file_of("JPEG")
    with_thumbnail = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    assert "thumbnail" in metadata_of(with_thumbnail, "JPEG").kinds


@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG", "TIFF"])
def test_damaged_metadata_is_no_error(form):
    data = file_of("PNG" if form == "TIFF" else form)
    rng = np.random.default_rng(0)
    for _ in range(300):
        spoilt = bytearray(data[: rng.integers(1, len(data))])
        for place in rng.integers(0, len(spoilt), 4):
            spoilt[place] = rng.integers(0, 256)
        metadata_of(bytes(spoilt), {"WEBP": "WebP"}.get(form, form))
