"""Tracebacks of errors that outlive their picture."""

from __future__ import annotations

import traceback
from inspect import CO_GENERATOR
from types import FrameType


def let_go(error: BaseException | None) -> None:
    """Let an error keep its traceback without the values in it: a picture among them would stay in memory as long."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            _clear(frame)
        outer = error.__traceback__ and error.__traceback__.tb_frame.f_back
        while outer and _clear(outer):
            outer = outer.f_back
        error = error.__cause__ or error.__context__


def _clear(frame: FrameType) -> bool:
    """Drop the values of a frame; return whether that was possible.

    It is not where the frame is at work, and so are all around it, nor in a generator, which it would end.
    """
    if frame.f_code.co_flags & CO_GENERATOR:
        return False
    try:
        frame.clear()
    except RuntimeError:
        return False
    return True
