"""Writing a film frame by frame, at the times that its frames have, with the sound of another film copied unchanged."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import OutputError, UsageError
from facecli.film import library
from facecli.film.address import Address
from facecli.film.faults import told
from facecli.film.frame import Display
from facecli.system.files import check_writable, staged
from facecli.types import UInt8Array

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
# codec -> the encoders to try, and their options: quick ones, of a quality that is looked at without regret
ENCODERS: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "h264": (("libx264", {"preset": "veryfast", "crf": "23"}), ("libopenh264", {})),
    "av1": (("libsvtav1", {"preset": "10", "crf": "35"}), ("libaom-av1", {"cpu-used": "8", "crf": "35"})),
    "vp9": (("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "32", "b": "0"}),),
    "mpeg4": (("mpeg4", {"qscale": "4"}),),
}
CODECS = tuple(ENCODERS)
USUAL, OF_WEBM = ("h264", "av1", "mpeg4"), ("vp9", "av1")
LIMITED, FULL = 1, 2  # ranges of colours, as FFmpeg numbers them
CLOCK = Fraction(1, 60_000)  # s: fine enough for the times of any film; MPEG-4 has no finer one


class FilmWriter:
    """A film that is being written.

    size: (width, height) px of its frames; other frames are scaled to it. rate: frames per second that the head states.
    codec: one of CODECS, None for the first usual one that there is.
    """

    def __init__(self, path: Path, form: str, size: tuple[int, int], rate: float | None, codec: str | None) -> None:
        av = library.require()
        self._av, self._path = av, path
        name, options = _encoder(codec, form)
        if name == "libsvtav1":
            os.environ.setdefault("SVT_LOG", "1")  # errors alone: it writes to stderr past FFmpeg
        self._container = av.open(str(path), "w", format=form)
        stated = Fraction(rate or 25).limit_denominator(100_000)
        self._stream = self._container.add_stream(name, rate=stated, options=options)
        # 4:2:0 halves the sides of colour, so they must be even.
        self._stream.width, self._stream.height = (max(2, side - side % 2) for side in size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = CLOCK
        self._latest = -1
        self._colours: dict[str, int] = {}
        self._sound: _Sound | None = None

    def show_as(self, display: Display) -> None:
        """Have pixels and colours shown as those of another film. To be called before the first frame."""
        context = self._stream.codec_context
        if display.aspect is not None:
            context.sample_aspect_ratio = display.aspect
        if display.matrix is not None:
            full = display.range == FULL
            context.colorspace, context.color_range = display.matrix, FULL if full else LIMITED
            context.color_primaries, context.color_trc = display.primaries, display.transfer
            self._colours = {"dst_colorspace": display.matrix, "dst_color_range": FULL if full else LIMITED}

    def copy_sound(self, address: Address, begin: float) -> None:
        """Copy the sound of a film, packet by packet, from a time of it on. To be called before the first frame."""
        self._sound = _Sound(self._container, address, begin)

    def write(self, pixels: UInt8Array, time: float) -> None:
        """Write a frame (H, W, 3) uint8 RGB, which is shown from `time` on, in seconds; times ascend."""
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        if self._colours:
            context = self._stream.codec_context
            frame = frame.reformat(context.width, context.height, format="yuv420p", **self._colours)
        frame.pts = self._latest = max(self._latest + 1, round(time / CLOCK))
        frame.time_base = CLOCK
        if self._sound is not None:
            self._sound.copy_until(time)
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def finish(self) -> None:
        """Write what is still to be written, and close the file."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        if self._sound is not None:
            self._sound.copy_until(float("inf"))
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._sound is not None:
            self._sound.close()
        self._container.close()


class _Sound:
    """The sound of a film, copied into another one."""

    def __init__(self, target: Any, address: Address, begin: float) -> None:
        av = library.require()
        with told(address, opened=False):
            self._source = av.open(address.url, options={} if address.network else {"protocol_whitelist": "file"})
        self._target, self._address, self._begin = target, address, begin
        self._origin = (self._source.start_time or 0) / av.time_base
        try:
            check_sound(target.format.name, library.sounds(self._source))
        except BaseException:
            self._source.close()
            raise
        self._streams = {stream.index: target.add_stream_from_template(stream) for stream in self._source.streams.audio}
        # Of each stream, in its ticks: where its latest packet ends, and how far it is moved.
        self._ends: dict[int, int] = {}
        self._shifts: dict[int, int] = {}
        self._packets: Iterator[Any] = (
            iter(self._source.demux(*self._source.streams.audio)) if self._streams else iter(())
        )
        self._held: Any = None

    def copy_until(self, time: float) -> None:
        """Copy the packets that are heard before a time of the new film."""
        while (packet := self._held or self._next()) is not None:
            index, due = packet.stream.index, self._due(packet)
            if float(due * packet.time_base) > time:
                self._held = packet
                return
            self._held = None
            if due < 0 and self._begin > 0:
                continue
            self._shifts[index] = due - packet.dts
            self._ends[index] = due + (packet.duration or 1)
            packet.pts, packet.dts = packet.pts + self._shifts[index], due
            packet.stream = self._streams[index]
            self._target.mux(packet)

    def _due(self, packet: Any) -> int:
        """Return when a packet is heard in the new film, in its ticks; a clock that began anew goes on."""
        index = packet.stream.index
        shift = self._shifts.get(index, -round((self._origin + self._begin) / packet.time_base))
        return max(int(packet.dts + shift), self._ends.get(index, -(2**62)))

    def close(self) -> None:
        """Close the film that is heard."""
        self._source.close()

    def _next(self) -> Any:
        with told(self._address, opened=True):
            return next((packet for packet in self._packets if packet.dts is not None), None)


@contextmanager
def written(target: Path) -> Iterator[tuple[Path, str]]:
    """Give a temporary file, and FFmpeg's name for its format; it becomes `target` on success.

    Raises UsageError for a suffix of no film, OutputError if the file system refuses.
    """
    form = form_of(target)
    av = library.require()
    with ExitStack() as stack:
        temporary = stack.enter_context(staged(target, parents=False))
        try:
            yield temporary, form
        except av.error.FFmpegError as error:
            message = f"can not write {target}: {error.strerror}"
            raise OutputError(message, hint="choose another place or another {codec}", about="codec") from error


def form_of(target: Path) -> str:
    """Return FFmpeg's name for the format of a film's file. Raises UsageError for a suffix of none."""
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"can not write a film as {suffix or target.name!r}", hint=f"use {', '.join(SUFFIXES)}")
    return {".mkv": "matroska", ".webm": "webm", ".mov": "mov"}.get(suffix, "mp4")


def check(target: Path, codec: str | None) -> None:
    """Raise an error, before any work, if a film can not be written there, or not with this codec."""
    form = form_of(target)
    check_writable(target)
    _encoder(codec, form)


def check_sound(form: str, codecs: Iterable[str]) -> None:
    """Raise OutputError if a format, as FFmpeg calls it, holds no sound of one of these codecs."""
    held = _held(form)
    for codec in codecs:
        if codec not in held:
            message = f"a film of the format {form} holds no sound of the codec {codec}"
            raise OutputError(message, hint="say {audio} none, or name an .mkv file", about="audio")


def _held(form: str) -> frozenset[str]:
    """Return the codecs of a format, as FFmpeg names both."""
    with library.require().open(io.BytesIO(), "w", format=form) as nothing:
        return frozenset(nothing.supported_codecs)


def _encoder(codec: str | None, form: str) -> tuple[str, dict[str, str]]:
    """Return the name of an encoder that there is, and its options.

    Raises FilmLibraryError if there is none, OutputError for a codec that the format does not hold.
    """
    usual = OF_WEBM if form == "webm" else USUAL
    available = library.require().codecs_available
    if codec is not None and codec not in _held(form):
        message = f"a film of the format {form} holds no {codec}"
        raise OutputError(message, hint="leave {codec} out, or name an .mkv file", about="codec")
    for name in usual if codec is None else (codec,):
        for encoder, options in ENCODERS[name]:
            if encoder in available:
                return encoder, options
    there = ", ".join(codecs()) or "none"
    raise library.FilmLibraryError(
        f"this FFmpeg has no encoder of {codec or ' or '.join(usual)}", hint=f"there is {there}"
    )


def codecs() -> list[str]:
    """Return the codecs that this FFmpeg can write. Raises FilmLibraryError if PyAV is not installed."""
    available = library.require().codecs_available
    return [name for name, ways in ENCODERS.items() if any(encoder in available for encoder, _ in ways)]
