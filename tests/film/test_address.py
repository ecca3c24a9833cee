"""Which names are films, and what is shown of them."""

from __future__ import annotations

import os

import pytest

from facecli.errors import UsageError
from facecli.film.address import address_of, films_below, is_film, recorded


@pytest.mark.parametrize("name", ["a.mp4", "b/C.MKV", "camera:0", "rtsp://cam/1", "https://x.org/a.webm?b=c"])
def test_films_are_known_by_their_names(name):
    assert is_film(name)


@pytest.mark.parametrize("name", ["a.jpg", "camera", "https://x.org/a.png", "-", "mp4"])
def test_other_names_are_no_films(name):
    assert not is_film(name)


def test_a_password_is_in_no_shown_name():
    address = address_of("rtsp://user:secret@camera.example/1?token=secret")
    assert "secret" not in address.source
    assert "secret" in address.url
    assert address.live


@pytest.mark.parametrize(
    "name", ["rtspu://u:secret@h:1/x", "ftp://u:secret@h/film.mp4", "mms://u:se/cret@h/x", "file:///a.mp4"]
)
def test_other_addresses_are_refused_without_their_passwords(name):
    with pytest.raises(UsageError, match="rtsp, rtmp, srt") as refused:
        address_of(name)
    assert name.partition(":")[0] in str(refused.value)
    assert "cret@" not in str(refused.value)


def test_the_scheme_of_an_address_may_be_in_capitals():
    assert address_of("RTSP://Door:Ab@h/X").url == "rtsp://Door:Ab@h/X"
    assert not address_of("HTTP://h/A.MP4").live


def test_a_folder_stands_for_its_films(tmp_path):
    for name in ("b.mp4", "a/c.mkv", ".hidden/d.mp4", "e.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert films_below(tmp_path) == [str(tmp_path / "a/c.mkv"), str(tmp_path / "b.mp4")]


def test_what_can_be_read_once_is_told_from_a_file(tmp_path):
    (tmp_path / "file.mp4").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    assert not recorded(str(tmp_path / "file.mp4")).pipe
    assert address_of(str(tmp_path / "pipe.mp4")).pipe
    for name in (str(tmp_path / "pipe.mp4"), "rtsp://camera.example/1", "https://x.org/a.mp4"):
        with pytest.raises(UsageError, match="read twice"):
            recorded(name)


def test_no_film_is_read_from_standard_input():
    with pytest.raises(UsageError, match="stdin"):
        address_of("-")


def test_cameras_have_names_on_windows(monkeypatch):
    assert not is_film("camera:Integrated Camera")
    monkeypatch.setattr("facecli.film.address.sys.platform", "win32")
    camera = address_of("camera:Integrated Camera")
    assert (camera.format, camera.url, camera.live) == ("dshow", "video=Integrated Camera", True)
    with pytest.raises(UsageError, match="names here"):
        address_of("camera:0")
