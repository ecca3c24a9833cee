"""The end of a process that is told to end: by Ctrl-C, SIGTERM or a terminal that closes, within a second.

Python answers a signal between two of its own instructions. Native code, such as a model or a codec at work, may take
minutes to return to them, so a thread watches over the answer.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
PATIENCE = 0.6  # seconds for the main thread to end by itself
GRACE = 0.2  # seconds for what is left to do without it


class Ending:
    """Turns the first of SIGNALS into KeyboardInterrupt in the main thread, and ends the process if that is of no use.

    emergency: closes what is open, in a thread of its own, while the main thread is stuck. status: of the process then.
    """

    def __init__(self, emergency: Callable[[], None], status: int) -> None:
        self._emergency, self._status = emergency, status
        self._claimed = threading.Lock()

    def watch(self) -> None:
        """Begin; must be called in the main thread. A signal that is ignored, as by nohup, stays ignored."""
        heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, _interrupt)
        threading.Thread(target=self._wait, args=(heard,), name="ending", daemon=True).start()

    def claim(self) -> None:
        """Take over what `emergency` would do; if it has begun, wait for the end of the process."""
        self._claimed.acquire()

    def _wait(self, heard: int) -> None:
        left = 0  # signals that others answered
        while signal.getsignal(os.read(heard, 1)[0]) is not _interrupt or left < _Shield.heeded:
            left += 1
        time.sleep(PATIENCE)
        if self._claimed.acquire(blocking=False):
            threading.Thread(target=self._emergency, daemon=True).start()
        time.sleep(GRACE)
        os._exit(self._status)


class _Shield:
    """The depth of the main thread in what must not be cut, whether a signal waits for that, and whether one came.

    heeded: how many signals a block has answered. The thread that watches may hear of one after the block's end.
    """

    depth = 0
    heeded = 0
    waiting = False
    told = False


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    if _Shield.told:  # a second Ctrl-C must not cut off the answer to the first
        return
    _Shield.told = True
    if _Shield.depth:
        _Shield.waiting = True
    else:
        raise KeyboardInterrupt


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no signal cut the block: half a write to a buffered stream would be written twice."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Shield.depth += 1
    try:
        yield
    finally:
        _Shield.depth -= 1
        if _Shield.waiting and not _Shield.depth:
            _Shield.waiting = False
            raise KeyboardInterrupt


@contextmanager
def heeded(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first signal call `stop`, after which the block comes to its own end; a second one interrupts it.

    Only the main thread hears signals; in another one the block simply runs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN}
    heard = 0

    def answer(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard += 1
        if heard == 1:
            _Shield.heeded += 1
            stop()
        else:
            _interrupt(number, frame)

    for number in before:
        signal.signal(number, answer)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
