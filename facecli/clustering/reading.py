"""Pictures that are hashed while they are read, so that a face is known again in the next run."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from facecli.pictures.sources import Source
from facecli.types import Image, Limits


class HashedPictures:
    """The pictures of a run. `hashes` has the SHA-256 of each that was begun and not yet taken, in order."""

    def __init__(self, pictures: Iterable[Source | Image]) -> None:
        self._pictures, self._waiting = pictures, deque[list[bytes]]()

    def __iter__(self) -> Iterator[Source | Image]:
        for picture in self._pictures:
            digest: list[bytes] = []
            self._waiting.append(digest)
            if isinstance(picture, Image):
                shape = repr(picture.pixels.shape).encode()
                digest.append(hashlib.sha256(shape + picture.pixels.tobytes()).digest())
                yield picture
            else:
                yield _hashed(picture, digest)

    def take(self) -> bytes:
        """Return the SHA-256 of the first picture whose hash was not taken; nothing of one that was not read."""
        return next(iter(self._waiting.popleft()), b"")


def _hashed(source: Source, digest: list[bytes]) -> Source:
    def read(_name: str, limits: Limits, large: Callable[[], None]) -> bytes:
        data = source.read(limits, large)
        digest.append(hashlib.sha256(data).digest())
        return data

    return Source(source.name, read)
