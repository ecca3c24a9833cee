"""What a picture file states about itself: frames and pages, kinds that are not read, and walks that have an end."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from facecli.errors import DecodeError
from facecli.pictures import codec, jpeg, png
from facecli.pictures.headers import read_header
from facecli.types import Limits

GREY = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8) * 2
RGB = Pil.fromarray(np.dstack([GREY, GREY + 9, 255 - GREY]))
FRAMES: dict[str, Any] = {"save_all": True, "append_images": [RGB.rotate(90), RGB.rotate(180)], "duration": 100}


def saved(picture: Pil.Image, kind: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def refusal(data: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        codec.decode(data, "x", Limits())
    return str(caught.value)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with more chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def tiff(*tags: tuple[int, int, int]) -> bytes:
    """A TIFF of one grey pixel with these further tags: number, kind, value."""
    entries = sorted([*((tag, 3, value) for tag, value in BASIC.items()), *tags])
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IHH", 10, 0xFF, len(entries)) + body + bytes(4)


BASIC = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 1}


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_frames_and_pages_are_counted(kind: str) -> None:
    assert read_header(saved(RGB, kind), "x").frames == 1
    assert read_header(saved(RGB, kind, **FRAMES), "x").frames == 3


def test_a_gif_that_breaks_off_has_the_frames_that_it_has() -> None:
    data = saved(RGB, "GIF", **FRAMES)
    assert read_header(data[: len(data) // 2], "x").frames == 2
    assert read_header(data[:10], "x").frames == 1


def test_a_tiff_that_begins_with_a_preview_is_not_taken_for_it() -> None:
    assert codec.decode(tiff(), "x", Limits()).pixels.shape == (1, 1, 3)
    assert codec.decode(tiff((254, 4, 2)), "x", Limits()).width == 1  # a page of several, as fax programs write it
    for raw in (tiff((254, 4, 1)), tiff((50706, 1, 1)), tiff()[:8] + b"CR" + tiff()[10:]):
        assert "x is a camera's raw file" in refusal(raw)
        assert "develop it to JPEG or TIFF first" in refusal(raw)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera's raw file"),
        (b"FUJIFILMCCD-RAW 0201", "a camera's raw file"),
        (b"IIU\0\x08\0\0\0", "a camera's raw file"),
        (b"IIRO\x08\0\0\0", "a camera's raw file"),
        (b"\0\0\0\x1cftypheim\0\0\0\0mif1heim", "a HEIC picture"),
        (b"\0\0\0\x18ftypheim\0\0\0\0mif1avif", "a HEIC picture"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0miafavif", "an AVIF picture"),
        (b"\0\0\0\x18ftypjp2 \0\0\0\0jpx jp2 ", "a JPEG 2000 picture"),
        (b"\0\0\0\x1cftypabcd\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "an AVIF picture"),
        (b"\xff\x4f\xff\x51\0\x29", "a JPEG 2000 picture"),
        (b"\x76\x2f\x31\x01\2\0\0\0", "an OpenEXR picture"),
        (b"\r\n\xff\xd8\xff\xe0", "a picture behind a line break or a byte order mark"),
        (b"\xef\xbb\xbf\x89PNG\r\n\x1a\n", "a picture behind a line break or a byte order mark"),
        (b"\0\0\1\0\1\0", "a Windows icon"),
    ],
)
def test_other_files_of_cameras_and_editors_are_named(data: bytes, words: str) -> None:
    assert f"x is {words}, not a picture that is read" in refusal(data)


def test_a_tiff_that_opencv_shows_wrongly_or_not_at_all_is_not_called_damaged() -> None:
    assert "CIELAB" in refusal(saved(RGB.convert("LAB"), "TIFF"))
    assert "32-bit floats" in refusal(cv2.imencode(".tiff", GREY.astype(np.float32))[1].tobytes())
    assert "32-bit numbers" in refusal(saved(RGB.convert("I"), "TIFF"))
    assert "packed by Zstandard" in refusal(tiff().replace(struct.pack("<HHII", 259, 3, 1, 1), ZSTD))


ZSTD = struct.pack("<HHII", 259, 3, 1, 50000)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("factor", [4, 16])
def test_numbers_of_10_and_12_bits_in_16_are_told(suffix: str, factor: int) -> None:
    data = cv2.imencode(suffix, GREY.astype(np.uint16) * factor)[1].tobytes()
    assert "numbers of at most 12 bits in a file of 16" in refusal(data)
    black = cv2.imencode(suffix, np.zeros_like(GREY, np.uint16))[1].tobytes()
    assert codec.decode(black, "x", Limits()).pixels.max() == 0


# Memory


@pytest.mark.parametrize(
    ("data", "bytes_per_pixel"),
    [
        (saved(RGB, "JPEG"), 6.1),
        (saved(RGB, "JPEG", progressive=True, subsampling=0), 9.1),  # 3 x 2 for coefficients
        (saved(RGB, "JPEG", progressive=True, subsampling=2), 6.1),  # 3 x 1
        (saved(RGB.convert("CMYK"), "JPEG", progressive=True), 11.1),
        (saved(RGB, "GIF"), 8.3),
        (saved(RGB, "WEBP", lossless=True), 7.2),
        (saved(RGB, "PNG"), 6.1),
        (saved(RGB.convert("RGBA"), "PNG"), 7.2),
    ],
)
def test_the_memory_that_decoding_takes_is_known_before(data: bytes, bytes_per_pixel: float) -> None:
    header = read_header(data, "x")
    assert header.weight == pytest.approx(bytes_per_pixel)
    assert codec.memory_of(header, data) == len(data) + round(60 * 40 * header.weight)


def test_what_takes_more_than_its_pixels_may_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(RGB.convert("CMYK"), "JPEG", progressive=True)
    limits = Limits(max_pixels=60 * 40)
    assert codec.decode(data, "x", limits).width == 60  # a small one always may
    monkeypatch.setattr(codec, "LEAST_MEMORY", 0)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(DecodeError, match=r"60x40 pixels of this JPEG file take \d+ bytes to decode") as caught:
        codec.decode(data, "x", limits)
    assert caught.value.about == ("max_pixels",)


# Walks that have an end


def test_a_jpeg_has_as_many_scans_as_an_editor_writes() -> None:
    data = saved(RGB, "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    scan = data[start:-2]
    more = jpeg.MOST_SCANS - data.count(b"\xff\xda")
    assert read_header(data[:-2] + scan * more + b"\xff\xd9", "x").width == 60
    assert f"more than {jpeg.MOST_SCANS} scans" in refusal(data[:-2] + scan * (more + 1) + b"\xff\xd9")


def test_a_jpeg_of_empty_segments_is_not_walked_to_its_end() -> None:
    data = saved(RGB, "JPEG")
    assert codec.decode(data[:2] + b"\xff\xfe\0\2" * 9000 + data[2:], "x", Limits()).width == 60
    assert "more than 10000 segments" in refusal(data[:2] + b"\xff\xfe\0\2" * 10**5 + data[2:])
    assert "there is no segment where one must begin" in refusal(data[:2] + b"\xff\xfe\0\2" + b"\xff" * 10**6)


def test_a_marker_on_the_edge_of_a_window_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(RGB, "JPEG", progressive=True)
    wanted = read_header(data, "x")
    for size in range(1, 60):
        monkeypatch.setattr(jpeg, "WINDOW", size)
        assert read_header(data, "x") == wanted


def test_a_png_of_empty_chunks_is_not_walked_to_its_end() -> None:
    data = saved(RGB, "PNG")
    assert codec.decode(with_chunks(data, chunk(b"tEXt", b"") * 5000), "x", Limits()).width == 60
    assert "more than 131072 chunks" in refusal(with_chunks(data, chunk(b"IDAT", b"") * png.MOST_CHUNKS))


def test_texts_and_profiles_of_a_png_do_not_reach_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = saved(RGB, "PNG")
    bomb = zlib.compress(bytes(7_900_000), 9)
    texts = [chunk(kind, b"x\0\0" + bomb) for kind in (b"zTXt", b"iCCP")] + [chunk(b"iTXt", b"x\0\1\0\0\0" + bomb)]
    orientation = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    exif = chunk(b"eXIf", orientation)
    data = with_chunks(plain, exif, *texts * 3)
    given: list[int] = []
    decode = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda buffer, flags: given.append(len(buffer)) or decode(buffer, flags))
    assert codec.decode(data, "x", Limits()).pixels.shape == (60, 40, 3)  # the orientation counts
    assert given == [len(plain) + len(exif)]


def test_gifs_and_webps_of_nothing_but_blocks_are_not_walked_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facecli.pictures.headers.MOST_BLOCKS", 100)
    monkeypatch.setattr("facecli.pictures.headers.MOST_CHUNKS", 100)
    data = saved(RGB.quantize(4), "GIF")
    assert read_header(data, "x").frames == 1
    assert "more than 100 blocks" in refusal(data[:-1] + b"!\xfe\1a\0" * 60 + b";")
    body = saved(RGB, "WEBP", **FRAMES)[8:] + b"XXXX\0\0\0\0" * 100
    assert "more than 100 chunks" in refusal(b"RIFF" + struct.pack("<I", len(body)) + body)
