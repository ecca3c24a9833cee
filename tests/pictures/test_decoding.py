"""Large pictures: the same pixels as from memory, half of the memory, and damage that is refused all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facecli.errors import DecodeError
from facecli.pictures import codec, decoding
from facecli.types import Limits, UInt8Array

SIZE = (1500, 1460)  # px, and a little more than LARGE


@pytest.fixture(scope="module")
def pixels(examples) -> UInt8Array:
    picture = np.asarray(cv2.imread(str(examples / "collins.jpg")), np.uint8)
    return np.asarray(cv2.resize(picture, SIZE, interpolation=cv2.INTER_NEAREST), np.uint8)


def encoded(pixels: UInt8Array, suffix: str, *settings: int) -> bytes:
    return bytes(cv2.imencode(suffix, pixels, settings)[1])


def turned(jpeg: bytes) -> bytes:
    """A JPEG that lies on its side, as EXIF says."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def with_alpha(pixels: UInt8Array) -> UInt8Array:
    return np.dstack([pixels, np.arange(pixels.shape[1], dtype=np.uint8)[None].repeat(len(pixels), 0)])


FILES = {
    "JPEG": lambda pixels: encoded(pixels, ".jpg"),
    "progressive JPEG": lambda pixels: encoded(pixels, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "JPEG on its side": lambda pixels: turned(encoded(pixels, ".jpg")),
    "PNG": lambda pixels: encoded(pixels, ".png"),
    "PNG of 16 bits": lambda pixels: encoded(pixels.astype(np.uint16) * 257, ".png"),
    "PNG with alpha": lambda pixels: encoded(with_alpha(pixels), ".png"),
    "WebP": lambda pixels: encoded(pixels, ".webp"),
    "WebP with alpha": lambda pixels: encoded(with_alpha(pixels), ".webp"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_large_picture_has_the_pixels_that_a_small_one_would_have(name, pixels, monkeypatch):
    data = FILES[name](pixels)
    found = codec.decode(data, name, Limits()).pixels
    monkeypatch.setattr(decoding, "LARGE", 2**40)
    np.testing.assert_array_equal(found, codec.decode(data, name, Limits()).pixels)
    assert found.flags.c_contiguous


@pytest.mark.parametrize("name", [name for name in FILES if "on its side" not in name])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_large_picture_that_is_cut_off_is_refused(name, share, pixels):
    data = FILES[name](pixels)
    with pytest.raises(DecodeError):
        codec.decode(data[: int(share * len(data))], name, Limits())


def test_without_files_in_memory_the_pixels_are_the_same(pixels, monkeypatch):
    data = FILES["JPEG"](pixels)
    found = codec.decode(data, "a", Limits()).pixels

    def none(_name: str) -> int:
        raise OSError("there is no room for one more")

    monkeypatch.setattr(decoding.os, "memfd_create", none, raising=False)
    np.testing.assert_array_equal(found, codec.decode(data, "a", Limits()).pixels)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux, which tells the peak of memory")
@pytest.mark.parametrize(("name", "bytes_per_pixel"), [("JPEG", 3), ("PNG", 3), ("PNG with alpha", 4)])
def test_a_large_picture_is_held_once(name, bytes_per_pixel, pixels, tmp_path):
    big = cv2.resize(pixels, (4000, 4000), interpolation=cv2.INTER_NEAREST)
    path = tmp_path / "big"
    path.write_bytes(FILES[name](big))
    code = f"""
import re
from pathlib import Path
from facecli.pictures import codec
from facecli.types import Limits
def status(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
data = Path({str(path)!r}).read_bytes()
codec.decode(data, "a", Limits())  # what OpenCV keeps for good is there then
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
codec.decode(data, "a", Limits())
print(status("VmHWM") - before - len(data))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert int(done.stdout) < (bytes_per_pixel + 1) * 4000 * 4000
