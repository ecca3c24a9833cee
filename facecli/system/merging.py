"""Iterators that are read at one time, each by a thread of its own, and merged into one as their items come."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from queue import Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 64  # items that wait to be taken; a thread with more waits, too
PATIENCE = 0.2  # s between two looks at whether anybody still wants what a waiting thread has


class _Reader(threading.Thread, Generic[T]):
    """Reads one iterator to its end, and closes it. failure: what it raised."""

    def __init__(self, items: Generator[T, None, None], taken: Queue[T | _Reader[T]], ending: threading.Event) -> None:
        super().__init__(name="merged", daemon=True)
        self._items, self._taken, self._ending = items, taken, ending
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Put each item where it is taken from, and at the end the thread itself."""
        try:
            for item in self._items:
                if not self._put(item):
                    break
            self._items.close()
        except BaseException as failure:  # noqa: BLE001 # whoever reads the merged one must hear of it
            self.failure = failure
        self._put(self)

    def _put(self, item: T | _Reader[T]) -> bool:
        """Wait until there is a place. Return False if nobody wants items any more."""
        while not self._ending.is_set():
            try:
                self._taken.put(item, timeout=PATIENCE)
            except Full:
                continue
            return True
        return False


def merged(many: Sequence[Generator[T, None, None]]) -> Iterator[T]:
    """Yield the items of all generators as they come, those of each in their order.

    Raises what one of them raises; the others are then closed by their threads at their next item.
    """
    taken: Queue[T | _Reader[T]] = Queue(MOST)
    ending = threading.Event()
    readers = [_Reader(items, taken, ending) for items in many]
    try:
        for reader in readers:
            reader.start()
        left = len(readers)
        while left:
            item = taken.get()
            if not isinstance(item, _Reader):
                yield item
            elif item.failure is not None:
                raise item.failure
            else:
                left -= 1
    finally:
        ending.set()
