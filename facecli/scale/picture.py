"""The pictures of a shard, each with its place and the hash of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from facecli.pictures.sources import Source
from facecli.scale import archives, listing, sources
from facecli.types import Limits


@dataclass(slots=True)
class Picture:
    """A picture on its way. place: among the pictures of its shard. sha256: of its bytes, as soon as they are read."""

    place: int
    source: Source
    sha256: str | None = None

    def hashing(self) -> Source:
        """Return the source, which tells the hash of its bytes when it is read."""
        source = self.source

        def read(_name: str, limits: Limits, large: Callable[[], None]) -> bytes:
            data = source.read(limits, large)
            self.sha256 = hashlib.sha256(data).hexdigest()
            return data

        return Source(source.name, read)


def pictures_of(names: list[str], limits: Limits) -> Iterator[Picture]:
    """Yield the pictures of a shard: those that are named, or those in the one archive that is named."""
    if len(names) == 1 and listing.is_archive(names[0]):
        found: Iterable[Source] = archives.members(names[0], limits)
    else:
        found = map(sources.opened, names)
    return (Picture(place, source) for place, source in enumerate(found))
