"""The run of a job: shards go to an engine, and what becomes of them is counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from facecli.contract import Engine, Shard, Work
from facecli.errors import ContractError
from facecli.scale.deaths import Deaths
from facecli.scale.journal import Notes
from facecli.scale.progress import Progress


@dataclass(slots=True)
class Stop:
    """A wish to end: no further shard is begun once it is told."""

    told: bool = False


def run(
    engine: Engine, work: Work, shards: list[Shard], stop: Stop, notes: Callable[[int], Notes | None]
) -> Iterator[Progress]:
    """Run shards until all are done; yield the progress, one object, after each report.

    notes: returns those on a shard. A shard whose worker dies is the next to be done, picture by picture, until the
    picture is found. Raises what a worker raises, DeviceError if workers do nothing but die, ContractError for an
    engine that loses a shard silently.
    """
    progress, deaths = Progress(len(shards)), Deaths(notes)
    waiting = deque(shards)
    while waiting and not stop.told:
        given: set[int] = set()
        for report in engine.run(work, _given(waiting, given, stop)):
            if report.number not in given:
                raise ContractError(f"the engine reported shard {report.number}, which it did not have")
            given.discard(report.number)
            if report.lost is None:
                deaths.outlived(report.number)
                progress.done += 1
                progress.pictures += report.pictures
                progress.failed += report.failed
                progress.faces += report.faces
            else:
                progress.lost += 1
                progress.reason = report.lost
                deaths.add(report)
                waiting.appendleft(Shard(report.number, careful=True))
            yield progress
        if given and not stop.told:
            raise ContractError(f"the engine has no report for {len(given)} shards")


def _given(waiting: deque[Shard], given: set[int], stop: Stop) -> Iterator[Shard]:
    """Yield the first shard that waits, whenever one is wanted."""
    while waiting and not stop.told:
        shard = waiting.popleft()
        given.add(shard.number)
        yield shard
