"""The end of a job that is told to end: what is begun is finished, as its files appear whole or not at all."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from facecli.system.ending import SIGNALS

if TYPE_CHECKING:
    from facecli.scale.run import Stop


@contextmanager
def stopping(stop: Stop, tell: Callable[[str], None]) -> Iterator[None]:
    """Let the first of SIGNALS in the block end the run after the shards at work, and the second one at once.

    tell: prints a line about the first.
    """

    def answer(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if stop.told:
            raise KeyboardInterrupt
        stop.told = True
        tell("ending after the shards at work; once more ends at once")

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, answer)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
