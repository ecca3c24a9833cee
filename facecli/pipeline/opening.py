"""Opening the pictures of a batch: read and decoded as long as there is room in memory, so a batch may be split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from facecli.errors import FacecliError
from facecli.pictures import codec
from facecli.pictures.headers import Header
from facecli.pictures.room import BYTES_PER_PIXEL, ROOM, Share
from facecli.pictures.sources import Source
from facecli.pipeline.flow import Flow, Stopwatch
from facecli.pipeline.results import ImageResult
from facecli.types import Image


def opened_groups(batch: Sequence[Source | Image], flow: Flow, clock: Stopwatch) -> Iterator[list[ImageResult]]:
    """Yield the pictures of a batch in order, opened, in groups that take their memory until the next one is asked for.

    A picture that can not be opened is a result with `error`. A batch of ordinary photos is one group.
    """
    group: list[ImageResult] = []
    held = ExitStack()
    with held:
        for source in batch:
            if isinstance(source, Image):  # in the caller's memory
                group.append(_opened(source))
                continue
            with ExitStack() as own:
                share = own.enter_context(ROOM.share())
                file = _read(source, share, flow, clock, alone=not group)
                if isinstance(file, ImageResult):
                    group.append(file)
                    continue
                needed = _memory_of(file, flow)
                if not share.take(needed, wait=not group):
                    yield group  # whoever holds memory must not wait for more
                    held.close()
                    group = []
                    share.take(needed)
                group.append(_decode(file, source, flow, clock))
                del file  # not to be kept while the group is analysed
                held.push(own.pop_all())
        yield group


class _File(NamedTuple):
    """The bytes of a picture file, and its header."""

    data: bytes
    header: Header


def _memory_of(file: _File, flow: Flow) -> int:
    """Return the bytes that a picture takes at most, while it is decoded or, with Flow.rotate, turned twice."""
    header, decoding = file.header, codec.memory_of(file.header, file.data)
    return max(decoding, BYTES_PER_PIXEL * header.width * header.height) if flow.rotate else decoding


def _read(source: Source, share: Share, flow: Flow, clock: Stopwatch, *, alone: bool) -> _File | ImageResult:
    """Return a picture file within the limits, or a result with the error.

    alone: the thread holds no other share, so that it may wait until it can read a large file alone.
    """
    try:
        with clock("read"):
            data = source.read(flow.limits, share.take_all if alone else lambda: None)
        with clock("decode"):
            return _File(data, codec.inspect(data, source.name, flow.limits))
    except FacecliError as error:
        return ImageResult(source.name, error=error)


def _decode(file: _File, source: Source, flow: Flow, clock: Stopwatch) -> ImageResult:
    try:
        with clock("decode"):
            return _opened(codec.decode(file.data, source.name, flow.limits, file.header))
    except FacecliError as error:
        return ImageResult(source.name, error=error)


def _opened(image: Image) -> ImageResult:
    return ImageResult(image.source, image.width, image.height, frames=image.frames, damage=image.damage, image=image)
