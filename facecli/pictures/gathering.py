"""The bytes of a stream that come block by block, in memory once, and no more of them than a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO

LARGE = 2**24  # bytes of a file that a reader asks for before it goes on


def gathered(blocks: Iterable[bytes], most: int, large: Callable[[], None]) -> bytes:
    """Return the bytes of all blocks together, in memory once; those beyond `most` are only begun.

    large: called before more than LARGE bytes are gathered.
    """
    content, told = BytesIO(), False
    for block in blocks:
        if content.tell() + len(block) > LARGE and not told:
            large()
            told = True
        content.write(block)
        if content.tell() > most:
            break
    return content.getvalue()  # its own buffer, no copy
