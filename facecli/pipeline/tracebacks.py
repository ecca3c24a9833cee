"""Tracebacks of errors that outlive their picture."""

from __future__ import annotations

import traceback
from inspect import CO_GENERATOR


def let_go(error: BaseException | None) -> None:
    """Let an error keep its traceback without the values in it: a picture among them would stay in memory as long."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        outer = error.__traceback__ and error.__traceback__.tb_frame.f_back
        while outer and not outer.f_code.co_flags & CO_GENERATOR:  # to clear a generator would end it
            try:
                outer.clear()
            except RuntimeError:  # it is at work, and so are all around it
                break
            outer = outer.f_back
        error = error.__cause__ or error.__context__
