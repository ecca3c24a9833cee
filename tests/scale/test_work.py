"""One worker on one shard, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecli.api.selection import Request
from facecli.contract import Shard
from facecli.pictures.sources import Source
from facecli.places.opening import open_place
from facecli.scale import listing, work
from facecli.scale.picture import Picture, pictures_of
from facecli.scale.query import Query
from facecli.types import Limits
from tests.scale.conftest import table


def test_a_picture_that_takes_all_memory_becomes_a_row(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory is limited for a process, Python raises MemoryError and nothing is killed."""
    place = tmp_path / "out"
    names = [str(pictures / f"{number:02}.jpg") for number in range(3)]
    frozen = listing.freeze(names, open_place(str(place)), None)

    def huge(_names: list[str], limits: Limits) -> Iterator[Picture]:
        for picture in pictures_of(_names, limits):
            if picture.place == 1:
                picture.source = Source(picture.source.name, exhausted)
            yield picture

    def exhausted(*_args: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(work, "pictures_of", huge)
    worker = work.ShardWork(Query("detect", {}, Request()), str(place), frozen.name).open(1)
    shards = [Shard(0), *[Shard(0, careful=True)] * 3]
    assert [worker(shard).lost for shard in shards] == ["out of memory"] * 3 + [None]
    assert [row["error_code"] for row in table(place, "pictures")] == [None, "crashed", None]
