"""The end of a job that is told to end: what is begun is finished, as its files appear whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facecli.system.ending import heeded

if TYPE_CHECKING:
    from facecli.scale.run import Stop


@contextmanager
def stopping(stop: Stop, tell: Callable[[str], None]) -> Iterator[None]:
    """Let the first signal in the block end the run after the shards at work, and the second one at once.

    tell: prints a line about the first.
    """

    def first() -> None:
        stop.told = True
        tell("ending after the shards at work; once more ends at once")

    with heeded(first):
        yield
