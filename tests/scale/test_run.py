"""The run of shards on engines that are well and on others, without pictures."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from facecli.contract import Shard, ShardReport, Work
from facecli.errors import ContractError, DeviceError, OutputError
from facecli.places.opening import open_place
from facecli.plugins.engines import ray
from facecli.scale import run
from facecli.scale.deaths import MOST_EARLY, MOST_IDLE
from facecli.scale.differences import differences
from facecli.scale.journal import MOST_DEATHS, Journal, Notes, notes_on

NOTHING: Any = None  # a work that no engine here opens
SHARDS = [Shard(number) for number in range(5)]


class Losing:
    """Loses some shards, each so many times; shard -> times."""

    def __init__(self, times: dict[int, int]) -> None:
        self.times, self.seen = dict(times), list[Shard]()

    def run(self, work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:  # noqa: ARG002
        for shard in shards:
            self.seen.append(shard)
            left = self.times.get(shard.number, 0)
            self.times[shard.number] = left - 1
            yield ShardReport(shard.number, lost="killed") if left > 0 else ShardReport(shard.number, None, 10, 1, 8)


def none(_shard: int) -> None:
    """Notes of workers that have begun nothing."""


def test_a_lost_shard_is_the_next_with_care() -> None:
    engine = Losing({1: 1, 3: 3})
    *_, last = run.run(engine, NOTHING, SHARDS, run.Stop(), none)
    assert (last.done, last.lost, last.pictures, last.failed, last.faces) == (5, 4, 50, 5, 40)
    assert [shard.number for shard in engine.seen] == [0, 1, 1, 2, 3, 3, 3, 3, 4]
    assert [shard.number for shard in engine.seen if shard.careful] == [1, 3, 3, 3]
    assert last.seconds_left == 0


def test_a_shard_that_was_the_last_is_given_in_another_turn() -> None:
    class Ahead(Losing):
        def run(self, work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:
            return super().run(work, [*shards])

    engine = Ahead({4: 2})
    *_, last = run.run(engine, NOTHING, SHARDS, run.Stop(), none)
    assert (last.done, [shard.number for shard in engine.seen]) == (5, [0, 1, 2, 3, 4, 4, 4])


@pytest.mark.parametrize(
    ("picture", "done", "deaths"),
    [(None, 0, MOST_IDLE + 1), (0, 0, MOST_EARLY + 1), (0, 1, None)],
    ids=["none is begun", "the first one kills", "one was done"],
)
def test_workers_that_only_die_end_the_run(picture: int | None, done: int, deaths: int | None) -> None:
    """picture: that each careful worker begins; it is another one each time."""
    engine = Losing(dict.fromkeys(range(5), MOST_EARLY + 2))

    def notes(_shard: int) -> Notes | None:
        return None if picture is None else Notes(picture + len(engine.seen), 0, (), done)

    running = run.run(engine, NOTHING, SHARDS, run.Stop(), notes)
    if deaths is None:
        assert [*running][-1].lost == 5 * (MOST_EARLY + 2)
        return
    with pytest.raises(DeviceError, match=f"the last {deaths} workers died before a picture was done: killed"):
        list(running)


def test_deadly_pictures_are_found_one_by_one_however_many(tmp_path: Path) -> None:
    """They are more than workers may die in a row that begin nothing."""
    place, deadly = open_place(str(tmp_path / "out")), {*range(MOST_IDLE)}

    class Deadly:
        def run(self, work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:  # noqa: ARG002
            for shard in shards:
                journal = Journal(place, shard.number)
                for picture in (one for one in range(30) if one not in journal.crashed):
                    journal.begin(picture)
                    if picture in deadly:
                        yield ShardReport(shard.number, lost="killed")
                        break
                else:
                    yield ShardReport(shard.number, None, 30, len(journal.crashed))

    *_, last = run.run(Deadly(), NOTHING, [Shard(0)], run.Stop(), partial(notes_on, place))
    assert (last.done, last.failed, last.lost) == (1, MOST_IDLE, MOST_DEATHS * MOST_IDLE)


def test_no_shard_is_begun_after_a_stop() -> None:
    engine, stop = Losing({0: 1}), run.Stop()
    for state in run.run(engine, NOTHING, SHARDS, stop, none):
        stop.told = state.done + state.lost == 2
    assert [shard.number for shard in engine.seen] == [0, 0]


@pytest.mark.parametrize(
    ("reports", "fault"),
    [
        ([ShardReport(0)], "no report for 4 shards"),
        ([ShardReport(0), ShardReport(0)], "reported shard 0, which it did not have"),
        ([ShardReport(7)], "reported shard 7"),
    ],
)
def test_an_engine_that_counts_wrongly_is_blamed(reports: list[ShardReport], fault: str) -> None:
    class Wrong:
        def run(self, work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:  # noqa: ARG002
            list(shards)
            yield from reports

    with pytest.raises(ContractError, match=fault):
        [*run.run(Wrong(), NOTHING, SHARDS, run.Stop(), none)]


def test_a_journal_finds_the_picture_that_kills(tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "out"))
    for _ in range(MOST_DEATHS):
        journal = Journal(place, 4)
        assert journal.crashed == set()
        for picture in range(3):
            journal.begin(picture)  # and the worker dies on picture 2
    journal = Journal(place, 4)
    assert journal.crashed == {2}
    journal.begin(3)
    assert Journal(place, 4).crashed == {2}  # a death on another picture
    journal.close()
    assert place.names("trouble") == set()
    assert Journal(place, 4).crashed == set()


def test_of_several_who_create_a_file_one_succeeds(tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "out"))
    assert [place.create("job.json", content) for content in (b"first", b"second")] == [True, False]
    assert place.read("job.json") == b"first"
    assert place.names("") == {"job.json"}


def test_one_creates_a_file_also_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_names: Path) -> None:
        raise PermissionError(errno.EPERM, "no links, as on exFAT")

    monkeypatch.setattr("os.link", link)
    place = open_place(str(tmp_path / "out"))
    assert [place.create("job.json", content) for content in (b"first", b"second")] == [True, False]
    assert place.read("job.json") == b"first"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["job.json"]


def test_a_file_that_can_not_be_created_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_bytes(_path: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = open_place(str(tmp_path / "out"))
    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(OutputError, match=r"can not write .*job\.json: No space left"):
        place.create("job.json", b"")


def test_differences_are_named_by_their_path() -> None:
    there = {"detector": {"plugin": "yunet", "parameters": {"size": 640}}, "face": "all", "recognizer": None}
    here = {"detector": {"plugin": "yunet", "parameters": {"size": 320}}, "face": "all", "recognizer": {"plugin": "x"}}
    assert differences(there, there) == []
    assert differences(here, there) == [
        "detector.parameters.size is 640 there, 320 here",
        "recognizer is None there, x here",
    ]


def test_ray_begins_no_shard_once_it_is_told_to_stop() -> None:
    """An actor gets a shard when it is free; none is taken ahead. Ray itself is played: an answer is a number."""

    class Remote:
        def __init__(self, act: Any) -> None:
            self.remote = act

    class Played:
        """Ray whose actors answer at once, in the order in which they are asked."""

        exceptions = SimpleNamespace(RayTaskError=ZeroDivisionError, RayError=ZeroDivisionError)

        def __init__(self) -> None:
            self.answers: list[Any] = []

        def remote(self, **_claim: float) -> Any:
            return lambda _hand: Remote(
                lambda: SimpleNamespace(
                    open=Remote(lambda _work, _threads: self.answer(None)),
                    do=Remote(lambda shard: self.answer(ShardReport(shard.number))),
                )
            )

        def answer(self, value: Any) -> int:
            self.answers.append(value)
            return len(self.answers) - 1

        def wait(self, waiting: list[int], **_how: Any) -> tuple[list[int], list[int]]:
            return [min(waiting)], []

        def get(self, answer: int) -> Any:
            return self.answers[answer]

        def put(self, work: Any) -> Any:
            return work

        def kill(self, _actor: Any) -> None:
            pass

    stop, done = run.Stop(), 0
    for _ in run.run(ray.RayEngine(Played(), 1, 1, {}, 1.0), NOTHING, SHARDS, stop, none):
        stop.told, done = True, done + 1
    assert done == 1
    *_, last = run.run(ray.RayEngine(Played(), 3, 1, {}, 1.0), NOTHING, SHARDS, run.Stop(), none)
    assert last.done == len(SHARDS)


def test_an_actor_that_dies_and_finds_no_room_again_is_told() -> None:
    """The machine of the only actor is gone, and none is left for another one. Ray is played."""

    class Played:
        exceptions = SimpleNamespace(RayTaskError=ZeroDivisionError, RayError=OSError)

        def __init__(self) -> None:
            self.actors = 0

        def remote(self, **_claim: float) -> Any:
            return lambda _hand: SimpleNamespace(remote=self.actor)

        def actor(self) -> Any:
            self.actors += 1
            number = self.actors
            return SimpleNamespace(open=SimpleNamespace(remote=lambda _work, _threads: number))

        def wait(self, waiting: list[int], **_how: Any) -> tuple[list[int], list[int]]:
            return [one for one in waiting if one == 1], []

        def get(self, _answer: int) -> Any:
            raise OSError("its machine is gone")

        def put(self, work: Any) -> Any:
            return work

        def kill(self, _actor: Any) -> None:
            pass

        def available_resources(self) -> dict[str, float]:
            return {}

    with pytest.raises(DeviceError, match="no worker has started"):
        list(ray.RayEngine(Played(), 1, 1, {}, 0.1).run(NOTHING, SHARDS))


@pytest.mark.parametrize("failures", [0, ray.STARTS - 1, ray.STARTS])
def test_ray_is_started_again_where_the_machine_is_too_busy(failures: int) -> None:
    """ray-project/ray#65983: its own processes have 15 seconds to begin."""
    starts: list[dict[str, Any]] = []

    def init(**how: Any) -> None:
        starts.append(how)
        if len(starts) <= failures:
            raise RuntimeError("The current node timed out\n during startup")

    played = SimpleNamespace(init=init)
    if failures < ray.STARTS:
        ray._connect(played, "")
    else:
        with pytest.raises(DeviceError, match="Ray does not start on this machine: The current node timed out during"):
            ray._connect(played, "")
    assert [how["address"] for how in starts] == ["local"] * min(failures + 1, ray.STARTS)
