"""Films are read upright, at their own times; broken ones are told in words."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facecli.errors import DecodeError, InputError
from facecli.film.address import address_of
from facecli.film.frame import Excerpt
from facecli.film.reading import Film

pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")


def read(path, excerpt=None, **limits):
    film = Film(address_of(str(path)), **limits)
    try:
        return film, list(film.frames(excerpt))
    finally:
        film.close()


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts", "film.avi"])
def test_all_frames_come_at_their_times(name, film):
    opened, frames = read(film(name))
    assert [frame.number for frame in frames] == list(range(10))
    assert [frame.time for frame in frames] == pytest.approx([0.04 * n for n in range(10)], abs=0.001)
    assert (opened.facts.width, opened.facts.height, opened.short) == (64, 48, False)
    levels = [int(frame.image.pixels[24, 50].mean()) for frame in frames]
    assert levels == pytest.approx([10 * n for n in range(10)], abs=6)


def test_times_of_a_variable_rate_are_the_films_own(film):
    times = (0, 40, 500, 520, 1700, 1733)
    _, frames = read(film(times=times))
    assert [frame.time for frame in frames] == pytest.approx([t / 1000 for t in times], abs=0.001)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_turned_films_are_upright(rotation, film):
    """The white third, left in the file, is where a player shows it."""
    opened, frames = read(film(rotation=rotation))
    pixels = frames[5].image.pixels
    assert pixels.shape[:2] == ((64, 48) if rotation != 180 else (48, 64))
    assert (opened.facts.height, opened.facts.width) == pixels.shape[:2]
    expected = np.rot90(read(film("plain.mp4"))[1][5].image.pixels, opened.facts.rotation // 90)
    assert np.abs(pixels.astype(int) - expected).max() < 12
    assert opened.facts.rotation in (rotation, 360 - rotation)


def test_an_excerpt_is_read(film):
    path = film(times=tuple(range(0, 4000, 40)))
    for excerpt, times in (
        (Excerpt(start=1.0, duration=0.2), [1.0, 1.04, 1.08, 1.12, 1.16]),
        (Excerpt(max_fps=2), [0.5 * n for n in range(8)]),
        (Excerpt(max_frames=2), [0.0, 0.04]),
    ):
        got = [frame.time for frame in read(path, excerpt)[1]]
        assert got == pytest.approx(times, abs=0.041)
        assert len(got) == len(times)


def test_a_film_cut_off_is_told(film):
    """An MP4 without its index can not be opened; a Matroska film ends early."""
    path = film("film.mp4", times=tuple(range(0, 8000, 40)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DecodeError, match=r"can not be read as a film.*cut off"):
        read(path)
    path = film("film.mkv", times=tuple(range(0, 8000, 40)))
    whole = len(read(path)[1])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    opened, frames = read(path)
    assert 0 < len(frames) < whole
    assert opened.short


@pytest.mark.parametrize("name", ["film.mkv", "film.mp4"])
def test_sound_that_outlasts_the_picture_cuts_nothing_off(name, film):
    opened, frames = read(film(name, sound=True, longer=3.0))
    assert (len(frames), opened.short) == (10, False)


def test_an_mp4_with_fewer_frames_than_it_states_is_told(film):
    """Less than a second is missing at the end: the index stands before the frames, as in films of the web."""
    whole = film("whole.mp4")
    opened, frames = read(whole)
    assert (len(frames), opened.short) == (10, False)
    assert not read(whole, Excerpt(start=0.2))[0].short
    path = film("film.mp4", options={"movflags": "faststart"})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - (len(content) - content.index(b"mdat")) // 2])
    opened, frames = read(path)
    assert 0 < len(frames) < 10
    assert opened.short


@pytest.mark.parametrize(
    ("content", "hint"), [(b"", "is empty"), (b"\0" * 5000, "is it a film"), (b"hello " * 100, "is it a film")]
)
def test_what_is_no_film_is_told(content, hint, tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(DecodeError, match=f"can not be read as a film.*{hint}") as caught:
        read(path)
    assert "index" not in str(caught.value)


@pytest.mark.parametrize("picture", ["collins.jpg", "picture.png"])
def test_a_picture_named_as_a_film_is_refused(picture, examples, tmp_path):
    path = tmp_path / "film.mp4"
    if picture.endswith("png"):
        path.write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    else:
        path.write_bytes((examples / picture).read_bytes())
    with pytest.raises(DecodeError, match="is a picture"):
        read(path)


def test_a_missing_film_is_told(tmp_path):
    with pytest.raises(InputError, match="can not be opened"):
        read(tmp_path / "none.mp4")


def test_large_frames_are_refused(film):
    with pytest.raises(DecodeError, match="64 x 48 pixels, more than 1000"):
        read(film(), max_pixels=1000)


def test_a_file_that_lists_addresses_opens_none_of_them(tmp_path):
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://127.0.0.1:9/part.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(InputError):
        read(path)


def test_an_excerpt_that_begins_after_the_end_is_an_error(film):
    opened = Film(address_of(str(film())))
    with pytest.raises(InputError, match=r"no frame from 5 s on") as failure:
        list(opened.frames(Excerpt(start=5)))
    assert failure.value.hint == "it lasts 0.4 s: lower start"


def test_recordings_put_end_to_end_have_one_clock(film, tmp_path):
    whole = tmp_path / "whole.ts"
    whole.write_bytes(film("one.ts").read_bytes() + film("other.ts").read_bytes())
    opened, frames = read(whole)
    times = [frame.time for frame in frames]
    assert len(times) == 20
    assert np.diff(times) == pytest.approx([0.04] * 19, abs=0.021)
    assert not opened.short
