"""Many pictures: their order, the memory that they take, and the threads that work on them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from facecli.errors import ModelError, PluginError, UsageError
from facecli.pictures.sources import Source
from facecli.pipeline import river as river_module
from facecli.pipeline.flow import Flow
from facecli.pipeline.results import ImageResult
from facecli.pipeline.river import Pipeline
from facecli.types import Image


def source(number: int) -> Source:
    return Source(f"picture {number}", lambda *_: b"")


class Counting:
    """Stages that do nothing with a picture, and count."""

    def __init__(self, flow: Flow, error: Exception | None = None) -> None:
        self.flow, self.error, self.largest_batch = flow, error, 0

    def process(self, batch: Sequence[Source | Image]) -> list[ImageResult]:
        if self.error is not None:
            raise self.error
        self.largest_batch = max(self.largest_batch, len(batch))
        return [ImageResult(getattr(one, "name", "")) for one in batch]


def river(error: Exception | None = None, **flow: Any) -> Pipeline:
    unused: Any = None
    pipeline = Pipeline(unused, Flow(**flow))
    pipeline.stages = Counting(Flow(**flow), error)  # type: ignore[assignment]
    return pipeline


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_order_is_kept(jobs: int, batch_size: int) -> None:
    results = list(river(jobs=jobs, batch_size=batch_size).run(source(n) for n in range(23)))
    assert [result.source for result in results] == [f"picture {n}" for n in range(23)]


def test_a_batch_goes_through_the_stages_together() -> None:
    running: Any = river(batch_size=5)
    assert len(list(running.run(source(n) for n in range(12)))) == 12
    assert running.stages.largest_batch == 5


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("error", [ModelError("absent"), UsageError("factor must be below 1"), PluginError("broken")])
def test_what_the_stages_raise_ends_the_run(jobs: int, error: Exception) -> None:
    with pytest.raises(type(error)):
        list(river(error, jobs=jobs).run(source(n) for n in range(5)))


def test_sources_are_drawn_as_needed_so_that_memory_stays_bounded() -> None:
    drawn = 0

    def endless() -> Iterator[Source]:
        nonlocal drawn
        while True:
            drawn += 1
            yield source(drawn)

    results = river(jobs=2, batch_size=3).run(endless())
    for _ in range(10):
        next(results)
    assert drawn <= 10 + 3 * 2 * 3


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("batch")]


def test_closing_early_stops_the_workers() -> None:
    results = river(jobs=2).run(source(n) for n in range(10_000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 60  # a batch at work is not cut off, and this machine may be busy
    while workers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not workers()


def test_few_pictures_wait_to_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first batch is slow, and the others keep their pictures meanwhile."""
    monkeypatch.setattr(river_module, "MOST_KEPT", 1000)
    running: Any = river(jobs=50)
    done: list[int] = []
    slow = threading.Event()

    def process(batch: Sequence[Source]) -> list[ImageResult]:
        number = int(batch[0].name.split()[-1])
        if number == 0:
            slow.wait(60)
        done.append(number)
        return [ImageResult(batch[0].name, image=Image(np.zeros((10, 10, 3), np.uint8), ""))]  # 300 bytes

    def sources() -> Iterator[Source]:
        for number in range(40):
            while number > 1 and number - 1 not in done:
                time.sleep(0.01)
            if number == 20:
                slow.set()  # which fails the test
            drawn.append(number)
            yield source(number)

    drawn: list[int] = []
    running.stages.process = process
    results = running.run(sources())
    threading.Timer(2, slow.set).start()
    next(results)
    assert 3 <= len(drawn) < 20
    assert len(list(results)) == 39
