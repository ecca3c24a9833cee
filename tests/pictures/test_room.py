"""The room for pictures in memory: shared out in order, without two who wait for each other."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from facecli.pictures.room import Room, Share


def in_thread(share: Share, size: int) -> threading.Thread:
    thread = threading.Thread(target=share.take, args=(size,))
    thread.start()
    thread.join(0.2)
    return thread


def test_shares_wait_for_room_and_are_served_in_order() -> None:
    room = Room(100)
    with ExitStack() as stack:
        first, second, third, fourth = (stack.enter_context(room.share()) for _ in range(4))
        assert first.take(60)
        assert not second.take(60, wait=False)
        assert second.size == 0
        large = in_thread(second, 60)
        assert large.is_alive()
        small = in_thread(third, 30)  # it would fit, and must not overtake
        assert small.is_alive()
        assert not fourth.take(1, wait=False)
        first.take(10)
        large.join(20)
        small.join(20)
        assert (second.size, third.size) == (60, 30)
    assert room.change(Share(room), 100, wait=False)  # all was given back


def test_who_needs_more_than_all_is_alone() -> None:
    room = Room(100)
    with room.share() as first, room.share() as second:
        first.take(10)
        huge = in_thread(second, 1000)
        assert huge.is_alive()
        first.take(0)
        huge.join(20)
        assert second.size == 1000
        waiting = in_thread(first, 1)
        assert waiting.is_alive()
        second.take(90)
        waiting.join(20)
        assert first.size == 1


def test_a_share_that_shrinks_never_waits() -> None:
    room = Room(100)
    with room.share() as own:
        own.take_all()
        own.take(5)
        assert own.size == 5
