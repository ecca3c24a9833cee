"""The queue in front of the models: its places, and work that takes too long."""

from __future__ import annotations

import asyncio
import threading

import pytest

from facecli.server.refusals import RefusalError
from facecli.server.work import WorkQueue


def failing() -> None:
    raise ValueError("of the work's own")


def test_a_place_is_there_again_when_the_work_has_ended():
    queue = WorkQueue(1, 1, 60)

    async def run() -> list[int]:
        left = []
        for _ in range(3):
            assert await queue.run(lambda: 7) == 7
            left.append(queue.taken)
            with pytest.raises(ValueError, match="of the work's own"):
                await queue.run(failing)
            left.append(queue.taken)
        return left

    assert asyncio.run(run()) == [0] * 6
    queue.close()


def test_work_that_takes_too_long_keeps_its_place_until_it_ends():
    queue, end = WorkQueue(1, 1, 0.05), threading.Event()
    told: list[dict[str, object]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))

        def long() -> None:
            end.wait()
            failing()

        late, behind, many = await asyncio.gather(
            queue.run(long), queue.run(lambda: 7), queue.run(lambda: 8), return_exceptions=True
        )
        assert isinstance(late, RefusalError)
        assert (late.status, late.hint) == (503, "try again, or send a smaller picture")
        assert isinstance(behind, RefusalError)
        assert (behind.status, behind.hint) == (503, "it was not begun: try again")
        assert isinstance(many, RefusalError)
        assert many.status == 429
        assert queue.taken == 1
        end.set()
        while queue.taken:
            await asyncio.sleep(0.01)

    asyncio.run(run())
    queue.close()
    assert told == []  # nobody waits for how it failed, and nobody is told
