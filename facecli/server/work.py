"""The queue in front of the models: a few threads work, a few requests wait, and the next one is told to come later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from facecli.server.refusals import RefusalError

T = TypeVar("T")


class WorkQueue:
    """Runs work in threads, so that the server answers meanwhile.

    workers: pieces of work at once. places: how many may wait. seconds: time until an answer must be there; work that
    takes longer goes on, because a model can not be stopped, and keeps its place until it ends.
    """

    def __init__(self, workers: int, places: int, seconds: float) -> None:
        self.workers, self.most = workers, workers + places
        self._seconds, self._taken = seconds, 0
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="request")

    @property
    def taken(self) -> int:
        """Pieces of work that run or wait."""
        return self._taken

    async def run(self, work: Callable[[], T], late: str = "try again, or send a smaller picture") -> T:
        """Return what a piece of work returns. Raises what it raises, or RefusalError if there is no place or time.

        late: the hint if the time is up while it is at work, because it goes on.
        """
        if self._taken >= self.most:
            message = f"{self._taken} requests are at work or waiting"
            raise RefusalError(429, "busy", message, hint="try again in a second", headers={"Retry-After": "1"})
        self._taken += 1
        future = self._pool.submit(work)
        ended = asyncio.wrap_future(future)
        ended.add_done_callback(self._leave)  # in the thread that counts; another would have to wake it once more
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.shield(ended)
        except TimeoutError:
            if not future.cancelled() and future.done() and isinstance(future.exception(), TimeoutError):
                raise  # the work's own
            message = f"there was no answer within {self._seconds:g} s"
            hint = "it was not begun: try again" if future.cancel() else late
            raise RefusalError(503, "timeout", message, hint=hint) from None

    def close(self) -> None:
        """Let no more work begin; what runs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _ended: asyncio.Future[T]) -> None:
        """Give a place back."""
        self._taken -= 1
