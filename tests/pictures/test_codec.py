"""Bytes to pixels: every format as Pillow sees it, limits before decoding, and damage told as such."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageOps

from facecli.errors import DecodeError, OutputError, UsageError
from facecli.pictures import codec, tiff
from facecli.pictures.headers import read_header
from facecli.types import Limits, UInt8Array

LIMITS = Limits()
ROWS, COLUMNS = np.mgrid[0:40, 0:60]
RGB = Pil.fromarray(np.stack([COLUMNS * 4, ROWS * 6, 255 - COLUMNS * 2], -1).astype(np.uint8))
RGBA = RGB.copy()
RGBA.putalpha(Pil.fromarray((COLUMNS * 4).astype(np.uint8)))
PALETTE = RGB.quantize(64)
DEEP = np.stack([COLUMNS * 1000, ROWS * 1500, 65535 - COLUMNS * 900], -1).astype(np.uint16)
FRAMES: dict[str, Any] = {"save_all": True, "append_images": [RGB.rotate(90), RGB.rotate(180)], "duration": 100}


def saved(picture: Pil.Image, kind: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def rendered(data: bytes) -> UInt8Array:
    return np.asarray(ImageOps.exif_transpose(Pil.open(io.BytesIO(data))).convert("RGB"))


def without_adobe_marker(data: bytes) -> bytes:
    start = data.index(b"\xff\xee")
    return data[:start] + data[start + 2 + struct.unpack_from(">H", data, start + 2)[0] :]


def png(width: int, height: int, *, pixels: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(pixels)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


CMYK = Pil.merge("CMYK", (*RGB.convert("CMYK").split()[:3], Pil.new("L", RGB.size, 40)))

PICTURES = {
    "jpeg": saved(RGB, "JPEG", quality=95, subsampling=0),
    "jpeg-grey": saved(RGB.convert("L"), "JPEG"),
    "jpeg-progressive": saved(RGB, "JPEG", progressive=True),
    "jpeg-cmyk-adobe": saved(CMYK, "JPEG", quality=95),
    "jpeg-cmyk-plain": without_adobe_marker(saved(CMYK, "JPEG", quality=95)),
    "png": saved(RGB, "PNG"),
    "png-grey": saved(RGB.convert("L"), "PNG"),
    "png-grey-alpha": saved(RGBA.convert("LA"), "PNG"),
    "png-1-bit": saved(RGB.convert("1"), "PNG"),
    "png-rgba": saved(RGBA, "PNG"),
    "png-palette": saved(PALETTE, "PNG"),
    "png-palette-trns": saved(PALETTE, "PNG", transparency=3),
    "png-rgb-trns": saved(RGB, "PNG", transparency=(0, 0, 255)),
    "apng": saved(RGB, "PNG", **FRAMES),
    "webp-lossy": saved(RGB, "WEBP", quality=90),
    "webp-lossless": saved(RGB, "WEBP", lossless=True),
    "webp-rgba": saved(RGBA, "WEBP", lossless=True, exact=True),
    "webp-animated": saved(RGB, "WEBP", lossless=True, **FRAMES),
    "gif": saved(RGB, "GIF"),
    "gif-interlaced": saved(RGB, "GIF", interlace=1),
    "gif-animated": saved(RGB, "GIF", **FRAMES),
    "bmp": saved(RGB, "BMP"),
    "bmp-palette": saved(PALETTE, "BMP"),
    "tiff": saved(RGB, "TIFF"),
    "tiff-lzw": saved(RGB, "TIFF", compression="tiff_lzw"),
    "tiff-palette": saved(PALETTE, "TIFF"),
    "tiff-cmyk": saved(CMYK, "TIFF"),
    "tiff-big": saved(RGB, "TIFF", big_tiff=True),
    "ppm": saved(RGB, "PPM"),
    "pgm": saved(RGB.convert("L"), "PPM"),
    "pbm": saved(RGB.convert("1"), "PPM"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_format_looks_as_pillow_renders_it(name: str) -> None:
    data = PICTURES[name]
    image = codec.decode(data, "x", LIMITS)
    wanted = rendered(data)
    assert image.pixels.shape == wanted.shape
    assert image.pixels.dtype == np.uint8
    assert image.pixels.flags.c_contiguous
    assert np.abs(image.pixels.astype(int) - wanted).max() <= 2  # two JPEG decoders may round differently
    assert read_header(data, "x")[1:3] == (60, 40)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".ppm"])
def test_16_bit_is_scaled_and_not_clipped(suffix: str) -> None:
    data = cv2.imencode(suffix, DEEP[..., ::-1])[1].tobytes()
    assert np.abs(codec.decode(data, "x", LIMITS).pixels.astype(int) - DEEP // 257).max() <= 1


def test_16_bit_grey_png() -> None:
    data = saved(Pil.fromarray(DEEP[..., 0]), "PNG")
    assert np.abs(codec.decode(data, "x", LIMITS).pixels.astype(int) - DEEP[..., :1] // 257).max() <= 1


def test_a_pgm_with_an_odd_peak_is_refused_and_not_shown_dark() -> None:
    with pytest.raises(DecodeError, match="brightest value is 4095"):
        codec.decode(b"P5 2 2 4095\n" + bytes(8), "x", LIMITS)
    plain = codec.decode(b"P2 # a comment\n2 1 100\n0 100\n", "x", LIMITS)  # OpenCV scales the text kind itself
    assert plain.pixels.tolist() == [[[0, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    exif = Pil.Exif()
    exif[0x112] = orientation
    settings = {"tiffinfo": {0x112: orientation}} if kind == "TIFF" else {"exif": exif.tobytes()}
    stored = np.asarray(RGB)
    upright = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: np.rot90(stored, -1),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(stored),
    }[orientation]
    found = codec.decode(saved(RGB, kind, **settings), "x", LIMITS).pixels
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 4  # lossy, but no two orientations are this close


def patched(name: str, *changes: tuple[int, bytes]) -> bytes:
    data = bytearray(PICTURES[name])
    for start, new in changes:
        data[start : start + len(new)] = new
    return bytes(data)


def enlarged_tiff(name: str, layout: str) -> bytes:
    entries = [(struct.pack(layout, tag, 4, 1, old), struct.pack(layout, tag, 4, 1, 20000)) for tag, old in SIZE_TAGS]
    return patched(name, *((PICTURES[name].index(old), new) for old, new in entries))


SIZE_TAGS = (256, 60), (257, 40)
BOMBS = {
    "jpeg": patched("jpeg", (PICTURES["jpeg"].index(b"\xff\xc0") + 5, struct.pack(">HH", 20000, 20000))),
    "png": png(20000, 20000),
    "gif": patched("gif", (6, struct.pack("<HH", 20000, 20000))),
    "bmp": patched("bmp", (18, struct.pack("<ii", 20000, -20000))),
    "webp-lossy": patched("webp-lossy", (26, struct.pack("<HH", 16000, 16000))),
    "webp-lossless": patched("webp-lossless", (21, struct.pack("<I", 15999 << 14 | 15999))),
    "webp-animated": patched("webp-animated", (24, 2 * (19999).to_bytes(3, "little"))),
    "tiff": enlarged_tiff("tiff", "<HHII"),
    "tiff-big": enlarged_tiff("tiff-big", "<HHQQ"),
    "ppm": b"P6\n# made big\n20000 20000\n255\n" + bytes(100),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_header_bomb_is_refused_before_decoding(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(DecodeError, match=r"too large: (20000x20000|16000x16000) pixels") as caught:
        codec.decode(BOMBS[name], "x", LIMITS)
    assert "raise max_pixels" in str(caught.value.hint)


def test_the_limit_is_the_largest_size_allowed() -> None:
    assert codec.decode(PICTURES["png"], "x", Limits(max_pixels=2400)).width == 60
    with pytest.raises(DecodeError, match="60x40 pixels, the limit is 2399"):
        codec.decode(PICTURES["png"], "x", Limits(max_pixels=2399))


def test_a_picture_too_large_for_opencv_is_one_line_too() -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(png(60000, 60000), "x", Limits(max_pixels=10**10))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["jpeg", "jpeg-progressive", "png", "apng", "webp-lossy", "webp-lossless", "webp-animated"]
)
def test_a_cut_file_is_called_truncated(name: str) -> None:
    data = PICTURES[name]
    for length in (13, len(data) // 3, len(data) // 2, len(data) - 30, len(data) - 2, len(data) - 1):
        with pytest.raises(DecodeError, match=r"^x is a truncated (JPEG|PNG|WebP) file; copy"):
            codec.decode(data[:length], "x", LIMITS)


@pytest.mark.parametrize("name", ["gif", "bmp", "tiff", "tiff-big", "ppm", "pbm"])
def test_other_cut_files_are_refused(name: str) -> None:
    data = PICTURES[name]
    for length in (7, 20, len(data) // 3, len(data) * 2 // 3):
        with pytest.raises(DecodeError):
            codec.decode(data[:length], "x", LIMITS)


def test_gifs_that_opencv_alone_refuses() -> None:
    small = saved(RGB.quantize(4), "GIF")
    odd = small[:11] + b"\xff" + small[12:]  # a background colour that the palette does not have
    assert cv2.imdecode(np.frombuffer(odd, np.uint8), cv2.IMREAD_COLOR) is None
    wanted = codec.decode(small, "x", LIMITS).pixels
    assert np.array_equal(codec.decode(odd, "x", LIMITS).pixels, wanted)
    assert np.array_equal(codec.decode(small.removesuffix(b";"), "x", LIMITS).pixels, wanted)


def test_a_thumbnail_does_not_hide_that_a_jpeg_is_cut() -> None:
    thumbnail = saved(RGB.resize((30, 20)), "JPEG")
    segment = b"Exif\0\0" + thumbnail
    data = PICTURES["jpeg"]
    whole = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    assert codec.decode(whole, "x", LIMITS).pixels.shape == (40, 60, 3)
    with pytest.raises(DecodeError, match="truncated"):
        codec.decode(whole[: len(whole) - 100], "x", LIMITS)


def test_data_behind_a_jpeg_do_not_count() -> None:
    data = PICTURES["jpeg"] + b"\0\0\0\x18ftypmp42" + PICTURES["png"] + saved(RGB.resize((9, 9)), "JPEG")[:-5]
    assert codec.decode(data, "x", LIMITS).pixels.shape == (40, 60, 3)


def test_a_flipped_bit_in_a_png_is_damage_and_not_noise(capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(PICTURES["png"])
    data[len(data) // 2] ^= 4
    with pytest.raises(DecodeError, match="damaged PNG file: a checksum"):
        codec.decode(bytes(data), "x", LIMITS)
    assert capfd.readouterr() == ("", "")


def test_opencv_keeps_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    for data in (PICTURES["tiff"][:-3000], PICTURES["gif"][:200], PICTURES["ppm"][:-9], PICTURES["bmp"][:-9]):
        with pytest.raises(DecodeError):
            codec.decode(data, "x", LIMITS)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "an AVIF picture"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html><p>", "an HTML page"),
        (b"<?xml version='1.0'?><svg/>", "an SVG or XML document"),
        (b"PK\3\4rest", "a ZIP archive"),
        (b"just words\n", "text"),
        ("ä".encode() * 400, "text"),
        (b"x" + "ä".encode() * 400, "text"),
        (b"\xe4\xf6 latin words", "unknown data"),
        (bytes(100), "unknown data"),
        (b"\x7fELF\2\1\1", "unknown data"),
    ],
)
def test_a_file_that_is_no_picture_is_named(data: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=f"^a.jpg is {words}, not a picture"):
        codec.decode(data, "a.jpg", LIMITS)


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(DecodeError, match="x is empty"):
        codec.decode(b"", "x", LIMITS)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    for kind in ("PNG", "JPEG", "WEBP", "BMP"):
        found = codec.decode(saved(Pil.new("RGB", size, (9, 8, 7)), kind), "x", LIMITS).pixels
        assert found.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("name", PICTURES)
def test_damage_ends_in_a_picture_or_in_a_decode_error(name: str) -> None:
    rng = random.Random(name)
    for _ in range(60):
        data = bytearray(PICTURES[name])
        for _ in range(rng.choice((1, 3, 30))):
            data[rng.randrange(min(len(data), rng.choice((40, 400, 10**9))))] = rng.randrange(256)
        data = data[: rng.choice((len(data), rng.randrange(1, len(data))))]
        try:
            codec.decode(bytes(data), "x", Limits(max_pixels=10**6))
        except DecodeError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp"])
def test_encode_and_back(suffix: str) -> None:
    pixels = np.asarray(RGB)
    found = codec.decode(codec.encode(pixels, suffix), "x", LIMITS).pixels
    assert np.abs(found.astype(int) - pixels).mean() < (0.01 if suffix == ".png" else 6)


def test_encode_refuses() -> None:
    with pytest.raises(UsageError, match=r"can not write a \.gif picture; use \.jpg, \.jpeg, \.png, \.webp"):
        codec.encode(np.asarray(RGB), ".gif")
    with pytest.raises(UsageError, match="nameless"):
        codec.encode(np.asarray(RGB), "")
    with pytest.raises(OutputError, match=r"20000x1 picture does not fit into a \.webp"):
        codec.encode(np.zeros((1, 20000, 3), np.uint8), ".webp")


@pytest.mark.parametrize("tiles", [None, (64, 64)], ids=["strips", "tiles"])
def test_pixels_packed_by_deflate_are_held_to_their_checksum(tiles: tuple[int, int] | None) -> None:
    """libtiff reads a strip until it has its rows: zeros inside may give it all of them, and no complaint."""
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    settings = {"tiffinfo": {322: tiles[0], 323: tiles[1]}} if tiles else {}
    data = saved(Pil.fromarray(noise), "TIFF", compression="tiff_adobe_deflate", **settings)
    assert np.array_equal(codec.decode(data, "x", LIMITS).pixels, noise)
    for position in range(2000, 180_000, 40_000):
        broken = bytearray(data)
        broken[position : position + 300] = bytes(300)
        with pytest.raises(DecodeError, match="x is a damaged TIFF file"):
            codec.decode(bytes(broken), "x", LIMITS)


def test_no_more_of_a_tiff_is_unpacked_than_its_pixels_take() -> None:
    bomb = zlib.compress(bytes(2**28), 9)
    assert tiff._unpacked(bomb, 2**20) <= 2**21
