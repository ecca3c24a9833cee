"""The names that stand for films: files by their suffix, cameras, and streams."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from facecli.errors import UsageError
from facecli.redaction import without_secrets

SUFFIXES = tuple(".mp4 .m4v .mov .mkv .webm .avi .ts .m2ts .mts .mpg .mpeg .wmv .flv .3gp .ogv".split())  # noqa: SIM905 # one line
_CAMERA = re.compile(r"camera:(\d+|/dev/\S+)")
_NAMED_CAMERA = re.compile(r"camera:(.+)")  # where cameras have names, and no files
_STREAM = re.compile(r"(rtsps?|rtmps?|srt|udp|rtp|tcp)://", re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_ANY = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
# Where FFmpeg finds cameras: its format, and its name for number N, or, of DirectShow, for a name.
_CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}


@dataclass(frozen=True, slots=True)
class Address:
    """A film's place as FFmpeg takes it.

    source: the name that the user gave, without secrets, for output. url: FFmpeg's name for it. format: FFmpeg's, None
    lets it look. live: the film goes on whether somebody reads it or not. network: it comes over a network. pipe: it
    can be read once.
    """

    source: str
    url: str
    format: str | None = None
    live: bool = False
    network: bool = False
    pipe: bool = False


def is_film(name: str) -> bool:
    """Return whether a name stands for a film, camera or stream, as far as the name tells."""
    if _camera(name) or _STREAM.match(name):
        return True
    path = urlsplit(name).path if _WEB.match(name) else name
    return path.lower().endswith((*SUFFIXES, ".m3u8"))


def address_of(name: str) -> Address:
    """Return the place of a film: a file, `camera:0`, or a URL. A web address of a film's file is no live stream.

    Raises UsageError for `-`, for an address of a scheme that is not followed, and for the number of a camera where
    they have names.
    """
    if name == "-":
        raise UsageError("a film is not read from stdin", hint="name its file")
    if camera := _camera(name):
        form, pattern = _CAMERAS.get(sys.platform, _CAMERAS["linux"])
        if form == "dshow" and camera.isdecimal():
            raise UsageError(f"cameras have names here, and {name} is a number", hint='say "camera:Integrated Camera"')
        url = pattern.format(camera) if camera.isdecimal() or form == "dshow" else camera
        return Address(name, url, form, live=True)
    if scheme := _ANY.match(name):
        if not (_STREAM.match(name) or _WEB.match(name)):
            message = f"can not follow {without_secrets(name)}: {scheme[1].lower()}:// is not read"
            raise UsageError(message, hint="rtsp, rtmp, srt, udp, rtp, tcp, http and https are; or name a file")
        live = _WEB.match(name) is None or not _is_file(name)
        url = name[: scheme.end()].lower() + name[scheme.end() :]  # FFmpeg knows no RTSP://
        return Address(without_secrets(name), url, live=live, network=True)
    return Address(name, f"file:{name}", pipe=Path(name).is_fifo())


def recorded(name: str) -> Address:
    """Return the place of a film that can be read twice. Raises UsageError for streams, pipes, films of the network."""
    address = address_of(name)
    if address.live or address.network or address.pipe:
        message = f"{address.source} is no file: a film is read twice"
        raise UsageError(message, hint="record or download it first")
    return address


def films_below(folder: Path) -> list[str]:
    """Return the films in a folder and below, sorted; nothing hidden."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return sorted(
        str(path) for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _camera(name: str) -> str | None:
    """Return the number, file or name of a camera, None for what is none."""
    found = (_CAMERA if sys.platform == "linux" else _NAMED_CAMERA).fullmatch(name)
    return None if found is None else found[1]


def _is_file(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(SUFFIXES)
