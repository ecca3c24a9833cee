"""The frozen list: cut into shards, read back one by one, and the same for the same names."""

from __future__ import annotations

from pathlib import Path

import pytest

from facecli.errors import InputError, UsageError
from facecli.places.opening import open_place
from facecli.scale import listing

NAMES = [f"pictures/{number}.jpg" for number in range(25)]


def test_names_come_back_shard_by_shard(tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "out"))
    frozen = listing.freeze(NAMES, place, 10)
    assert (frozen.names, frozen.shards, frozen.archives) == (25, 3, 0)
    assert [listing.read(place, frozen.name, number) for number in range(3)] == [NAMES[:10], NAMES[10:20], NAMES[20:]]
    assert frozen.sha256 == listing.hashed(NAMES) != listing.hashed(NAMES[::-1])


def test_a_file_of_the_list_holds_many_shards(tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "out"))
    names = [str(number) for number in range(2 * listing.SHARDS_PER_FILE + 1)]
    frozen = listing.freeze(names, place, 1)
    assert frozen.shards == len(names)
    assert place.names("listing") == {f"{frozen.name}-0000{number}.parquet" for number in range(3)}
    for number in (0, 99, 100, 200):
        assert listing.read(place, frozen.name, number) == [str(number)]


def test_an_archive_is_a_shard_of_its_own(tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "out"))
    frozen = listing.freeze(["a.jpg", "b.tar", "c.jpg", "D.TAR.GZ"], place, 10)
    assert (frozen.shards, frozen.archives) == (3, 2)
    assert [listing.read(place, frozen.name, number) for number in range(3)] == [
        ["b.tar"],
        ["D.TAR.GZ"],
        ["a.jpg", "c.jpg"],
    ]


def test_names_need_not_be_utf_8(tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "out"))
    frozen = listing.freeze(["a\udcff.jpg"], place, 10)
    assert listing.read(place, frozen.name, 0) == ["a\udcff.jpg"]


@pytest.mark.parametrize(("count", "shards"), [(1, 1), (25, 3), (640, 32), (40_000, 40)])
def test_a_short_list_is_cut_into_small_shards(tmp_path: Path, count: int, shards: int) -> None:
    place = open_place(str(tmp_path / "out"))
    assert listing.freeze(map(str, range(count)), place, None).shards == shards


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is empty"):
        listing.freeze([], open_place(str(tmp_path / "out")), 10)


def test_lists_of_several_commands_lie_side_by_side(tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "out"))
    ours, theirs = (listing.freeze(names, place, 10) for names in (NAMES, NAMES[::-1]))
    listing.check(place, ours.name, ours.shards, ours.sha256)
    with pytest.raises(InputError, match="is not the list of this job"):
        listing.check(place, ours.name, ours.shards, theirs.sha256)
    listing.keep(place, ours.name)
    assert place.names("listing") == {f"{ours.name}-00000.parquet"}
