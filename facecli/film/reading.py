"""Reading a film frame by frame: upright, with its own times, in bounded memory."""

from __future__ import annotations

import hashlib
import re
import time as clock
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import DecodeError, InputError
from facecli.film import library
from facecli.film.address import Address
from facecli.film.clock import Clock
from facecli.film.faults import told
from facecli.film.frame import MAX_PIXELS, Choice, Display, Excerpt, FilmFacts, Frame
from facecli.types import Image

OPEN_SECONDS, READ_SECONDS = 10.0, 5.0  # until a silent server counts as gone
# Matrices of H.273 that are converted, BT.709 and BT.601, with the primaries and transfer that belong to them: MP4
# tells none of the three without the others.
MATRICES = {1: (1, 1), 5: (5, 6)}
UNSPECIFIED = 2
# A film may be this part shorter than it states, within these seconds: sound often outlasts the picture.
MISSING_PART, LEAST_MISSING, MOST_MISSING = 0.05, 0.2, 1.0
DURATION = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")  # of a stream, in a tag of Matroska


class Film:
    """An opened film. Raises FacecliError if there is none.

    address: of the film. max_pixels: of a frame. short: after the last frame, whether the film ended earlier than it
    states.
    """

    def __init__(self, address: Address, *, max_pixels: int = MAX_PIXELS) -> None:
        av = library.require()
        self.address, self._max_pixels = address, max_pixels
        self.short, self.dropped = False, 0
        with told(address, opened=False):
            self._container = av.open(address.url, format=address.format, **_options(address))
        try:
            self._stream = self._video()
            self._refuse_large(self._stream.codec_context.width, self._stream.codec_context.height)
            self._stream.thread_type = "AUTO"
            # MP4 counts its frames; what AVI calls so may be ticks of a clock.
            self._counted = self._stream.frames if "mp4" in self._container.format.name else 0
            self._origin = _seconds(self._container.start_time, 1 / av.time_base) or 0.0
            self._first: Any = None
            with told(address, opened=True):
                self._decoded = self._container.decode(self._stream)
                self._first = next(self._decoded, None)
            self.facts = self._facts()
        except BaseException:
            self.close()
            raise

    def frames(self, excerpt: Excerpt | None = None) -> Iterator[Frame]:
        """Yield the frames of an excerpt, by default the film; once.

        Raises DecodeError where a film breaks off, InputError where it ends before the excerpt begins.
        """
        choice, latest, read = Choice(excerpt or Excerpt()), -np.inf, 0
        for time, decoded in self._timed(choice.part.start):
            wanted = choice.wants(time)
            if choice.over:
                return
            if wanted:
                yield Frame(self._image(decoded), choice.taken - 1, time)
            latest, read = time, read + 1
        start = choice.part.start
        if not choice.taken and start > 0:
            lasts = "" if self.facts.duration is None else f"it lasts {self.facts.duration:g} s: "
            message = f"{self.address.source} has no frame from {start:g} s on"
            raise InputError(message, hint=f"{lasts}lower {{start}}", about="start")
        self.short = read > 0 and self._lacks(latest, read, whole=choice.part.start <= 0)

    def _lacks(self, latest: float, read: int, *, whole: bool) -> bool:
        """Return whether frames are missing after the last one.

        latest: seconds, when it is shown. read: how many frames were read. whole: whether from the film's begin on.
        """
        stated, step = self._picture_lasts(), 1 / (self.facts.rate or 25)
        if stated is None or self.facts.live:
            return False
        if whole and self._counted:
            # Frames that an edit list leaves out are counted, too, but they are not part of the duration.
            return read < self._counted and latest < stated - 1.5 * step
        missing = min(max(MISSING_PART * stated, LEAST_MISSING), MOST_MISSING)
        return latest < stated - missing - 2 * step

    def _picture_lasts(self) -> float | None:
        """Return for how many seconds the picture is stated to last; None where the film states its whole alone.

        Sound and subtitles may last longer than the picture. Matroska tells of each stream in a tag.
        """
        stream, container = self._stream, self._container
        stated = _seconds(stream.duration, stream.time_base)
        if stated is None and (tag := DURATION.fullmatch(stream.metadata.get("DURATION", ""))):
            hours, minutes, seconds = map(float, tag.groups())
            stated = 3600 * hours + 60 * minutes + seconds or None
        return self._film_lasts() if stated is None and len(container.streams) == 1 else stated

    def _film_lasts(self) -> float | None:
        """Return for how many seconds the longest of the film's streams is stated to last."""
        whole = self._container.duration
        return whole / library.require().time_base if whole else None

    def others(self, *, sound: bool) -> tuple[str, ...]:
        """Return in words what the film holds beside its picture. sound: leave that out."""
        container, kinds = self._container, dict.fromkeys(stream.type for stream in self._container.streams)
        words = {"audio": "sound", "subtitle": "subtitles", "data": "data", "attachment": "attachments"}
        found = [words[kind] for kind in kinds if kind in words and not (sound and kind == "audio")]
        found += ["further pictures"] if len(container.streams.video) > 1 else []
        found += ["GPS position"] if any("location" in key.lower() for key in container.metadata) else []
        dull = {"major_brand", "minor_version", "compatible_brands", "encoder"}
        found += ["text"] if {key.lower() for key in container.metadata} - dull else []
        return tuple(found)

    def sounds(self) -> list[str]:
        """Return the codecs of the film's sound, as FFmpeg names them."""
        return library.sounds(self._container)

    def close(self) -> None:
        """Close the file or the connection."""
        with suppress(Exception):  # whatever FFmpeg has to say about a film that nobody reads any more
            self._container.close()

    def _timed(self, start: float) -> Iterator[tuple[float, Any]]:
        """Yield frames as FFmpeg gives them, with seconds since the film's begin, which ascend."""
        own = Clock(1 / (self.facts.rate or 25))
        if start > 0:
            self._seek(start)
        for decoded in self._every():
            stated = _seconds(decoded.pts, decoded.time_base)
            yield own.at(None if stated is None else stated - self._origin), decoded

    def _every(self) -> Iterator[Any]:
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        while True:
            with told(self.address, opened=True):
                decoded = next(self._decoded, None)
            if decoded is None:
                return
            yield decoded

    def _seek(self, start: float) -> None:
        """Go to the key frame before a time; a film that can not is read from its begin."""
        av = library.require()
        with suppress(av.error.FFmpegError):
            self._container.seek(int((start + self._origin) * av.time_base))
            self._decoded, self._first = self._container.decode(self._stream), None

    def _image(self, decoded: Any) -> Image:
        self._refuse_large(decoded.width, decoded.height)
        with told(self.address, opened=True):
            pixels = decoded.to_ndarray(format="rgb24")
        turns = round(decoded.rotation / 90) % 4
        return Image(np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels, self.address.source)

    def _video(self) -> Any:
        form = self._container.format.name
        if form == "image2" or form.endswith("_pipe"):  # so FFmpeg calls JPEG, PNG and their like
            message = f"{self.address.source} is a picture, not a film"
            raise DecodeError(message, hint="give its file the suffix of a picture, such as .jpg")
        streams = self._container.streams.video
        if not streams:
            message = f"{self.address.source} has no picture, only sound or data"
            raise DecodeError(message, hint="name a film")
        return streams[0]

    def _refuse_large(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            message = f"frames of {self.address.source} have {width} x {height} pixels, more than {self._max_pixels}"
            raise DecodeError(message, hint="raise {max_pixels}", about="max_pixels")

    def _facts(self) -> FilmFacts:
        stream, container = self._stream, self._container
        if self._first is None:
            raise DecodeError(f"{self.address.source} has no frame", hint="try another copy of the film")
        self._refuse_large(self._first.width, self._first.height)
        rotation = round(self._first.rotation / 90) % 4 * 90
        width, height = self._first.width, self._first.height
        if rotation in (90, 270):
            width, height = height, width
        rate = stream.average_rate or stream.guessed_rate
        stated = self._picture_lasts()
        if stated is None:
            stated = self._film_lasts()
        address = self.address
        # A web address that knows how long its film is, such as that of a recording in parts, is no camera.
        live = address.live and not (stated is not None and address.url.lower().startswith("http"))
        size, first_frame = self._identity()
        return FilmFacts(
            source=address.source,
            width=width,
            height=height,
            rotation=rotation,
            rate=float(rate) if rate else None,
            duration=None if live else stated,
            live=live,
            sound=bool(container.streams.audio),
            began=clock.time() if live else None,
            size=size,
            first_frame=first_frame,
            display=self._display(turned=rotation in (90, 270)),
        )

    def _display(self, *, turned: bool) -> Display:
        """Return how the film is shown. turned: whether width and height change places."""
        context = self._stream.codec_context
        aspect = self._stream.sample_aspect_ratio or context.sample_aspect_ratio or None
        if aspect is not None and turned:
            aspect = 1 / aspect
        if context.colorspace not in MATRICES:
            return Display(aspect)
        stated = context.color_primaries, context.color_trc
        usual = MATRICES[context.colorspace]
        colours = (int(usual[n] if one == UNSPECIFIED else one) for n, one in enumerate(stated))
        return Display(aspect, int(context.colorspace), int(context.color_range), *colours)

    def _identity(self) -> tuple[int | None, str | None]:
        """Return the size of the film's file in bytes, and the SHA-256 of its first frame; None for what is no file."""
        path = Path(self.address.source)
        if self.address.live or self.address.network or not path.is_file():
            return None, None
        with told(self.address, opened=True):
            pixels = self._first.to_ndarray(format="rgb24")
        return path.stat().st_size, hashlib.sha256(pixels.tobytes()).hexdigest()


def _options(address: Address) -> dict[str, Any]:
    """Return how to open a film: nothing but the file itself is read for a file, such as one that lists addresses."""
    if address.network:
        transport = {"rtsp_transport": "tcp"} if address.url.lower().startswith("rtsp") else {}
        return {"timeout": (OPEN_SECONDS, READ_SECONDS), "options": transport}
    if address.live:
        return {"timeout": (OPEN_SECONDS, READ_SECONDS)}
    return {"options": {"protocol_whitelist": "file"}}


def _seconds(count: int | None, unit: Any) -> float | None:
    return None if count is None else float(count * unit)
