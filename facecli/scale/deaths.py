"""Deaths of workers in a row: on pictures, which are found one by one, or of workers that do nothing but die."""

from __future__ import annotations

from collections.abc import Callable

from facecli.contract import ShardReport
from facecli.errors import DeviceError
from facecli.scale.journal import Notes

MOST_IDLE = 20  # workers in a row that died before they began a picture: it is not the pictures then
MOST_EARLY = 200  # workers in a row that died on their first picture, as where memory is too small for any


class Deaths:
    """The deaths since a worker last ended a picture. notes: returns those on a shard, None where there are none."""

    def __init__(self, notes: Callable[[int], Notes | None]) -> None:
        self._notes = notes
        self._last: dict[int, Notes | None] = {}  # of the shards that have lost a worker
        self._all = self._idle = 0

    def outlived(self, shard: int) -> None:
        """Forget the deaths: a shard is done."""
        self._last.pop(shard, None)
        self._all = self._idle = 0

    def add(self, report: ShardReport) -> None:
        """Count the death that a report tells. Raises DeviceError if it is one too many."""
        notes, before = self._notes(report.number), self._last.get(report.number)
        self._last[report.number] = notes
        begun = notes is not None and notes != before
        if begun and notes is not None and notes.done:
            self._all = self._idle = 0
            return
        self._all += 1
        self._idle += not begun
        if self._idle > MOST_IDLE or self._all > MOST_EARLY:
            message = f"the last {self._all} workers died before a picture was done: {report.lost}"
            raise DeviceError(message, hint="try fewer {workers}, which share the memory", about="workers")
