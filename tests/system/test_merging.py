"""Generators that are read at one time."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from facecli.system.merging import MOST, merged


def test_each_goes_on_while_another_waits():
    first, second = threading.Event(), threading.Event()

    def one() -> Generator[str, None, None]:
        yield "a"
        assert first.wait(30)
        yield "b"

    def other() -> Generator[str, None, None]:
        assert second.wait(30)
        yield "c"
        first.set()

    seen = []
    for item in merged([one(), other()]):
        seen.append(item)
        second.set()
    assert seen == ["a", "c", "b"]


def test_what_one_raises_is_raised_and_the_other_is_closed():
    closed = threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    def broken() -> Generator[int, None, None]:
        yield 2
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        for _ in merged([endless(), broken()]):
            pass
    assert closed.wait(30)


def test_nobody_reads_far_ahead():
    begun = threading.Event()
    count = 0

    def quick() -> Generator[int, None, None]:
        nonlocal count
        for count in range(10 * MOST):
            begun.set()
            yield count

    items = merged([quick()])
    assert next(items) == 0
    assert begun.wait(30)
    assert count <= MOST + 2
    assert [*items] == [*range(1, 10 * MOST)]
