"""The river: many pictures through the stages, in order and in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from facecli.pictures import room
from facecli.pictures.sources import Source
from facecli.pipeline.flow import Flow, Stopwatch
from facecli.pipeline.results import ImageResult
from facecli.pipeline.stages import Stages, Tools
from facecli.types import Image

T = TypeVar("T")

MOST_KEPT = 200_000_000  # bytes of decoded pictures that wait for their turn to be drawn


class Pipeline:
    """Runs sources through the stages; memory holds Flow.jobs + 1 batches, however many sources there are."""

    def __init__(self, tools: Tools, flow: Flow, clock: Stopwatch | None = None) -> None:
        self.stages = Stages(tools, flow, clock)

    @property
    def clock(self) -> Stopwatch:
        """Seconds per stage so far, added up over the threads."""
        return self.stages.clock

    def run(self, sources: Iterable[Source | Image]) -> Iterator[ImageResult]:
        """Yield one result per source, in order; a source that fails becomes a result with `error`.

        Flow.jobs batches are at work at once, each in a thread of its own. Raises ModelError, DeviceError and whatever
        a plugin's load raised: without its models the river does not run.
        """
        flow = self.stages.flow
        room.widen_for(flow.jobs)
        batches = _batched(sources, flow.batch_size)
        if flow.jobs == 1:
            for batch in batches:
                yield from self.stages.process(batch)
            return
        waiting: deque[Future[list[ImageResult]]] = deque()
        pool = ThreadPoolExecutor(flow.jobs, thread_name_prefix="batch")
        try:
            for batch in batches:
                waiting.append(pool.submit(self.stages.process, batch))
                while len(waiting) > flow.jobs or _kept(waiting) > MOST_KEPT:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _kept(waiting: Iterable[Future[list[ImageResult]]]) -> int:
    """Return the bytes of the pictures that are kept in results which nobody has taken yet."""
    done = (future.result() for future in waiting if future.done() and future.exception() is None)
    return sum(result.image.pixels.nbytes for results in done for result in results if result.image is not None)


def _batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
