"""The run of a job: shards go to an engine, and what becomes of them is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from facecli.contract import Engine, Shard, Work
from facecli.errors import ContractError, DeviceError
from facecli.scale.progress import Progress

MOST_LOST = 20  # shards in a row without one that ends well: it is not the pictures then


@dataclass(slots=True)
class Stop:
    """A wish to end: no further shard is begun once it is told."""

    told: bool = False


def run(engine: Engine, work: Work, shards: list[Shard], stop: Stop) -> Iterator[Progress]:
    """Run shards until all are done; yield the progress, one object, after each report.

    A shard whose worker dies is done again, picture by picture, until the picture is found. Raises what a worker
    raises, DeviceError if workers do nothing but die, ContractError for an engine that loses a shard silently.
    """
    progress = Progress(len(shards))
    in_a_row = 0
    while shards and not stop.told:
        given: set[int] = set()
        lost: list[Shard] = []
        for report in engine.run(work, _given(shards, given, stop)):
            if report.number not in given:
                raise ContractError(f"the engine reported shard {report.number}, which it did not have")
            given.discard(report.number)
            if report.lost is None:
                in_a_row = 0
                progress.done += 1
                progress.pictures += report.pictures
                progress.failed += report.failed
                progress.faces += report.faces
            else:
                in_a_row += 1
                progress.lost += 1
                progress.reason = report.lost
                lost.append(Shard(report.number, careful=True))
                if in_a_row > MOST_LOST:
                    message = f"the last {in_a_row} workers died before a shard was done: {report.lost}"
                    raise DeviceError(message, hint="try fewer {workers}, which share the memory", about="workers")
            yield progress
        if given and not stop.told:
            raise ContractError(f"the engine has no report for {len(given)} shards")
        shards = lost


def _given(shards: Iterable[Shard], given: set[int], stop: Stop) -> Iterator[Shard]:
    for shard in shards:
        if stop.told:
            return
        given.add(shard.number)
        yield shard
