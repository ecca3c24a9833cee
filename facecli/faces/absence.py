"""Why a picture may have no face: one in which none was found, and what to try next, or one that was not looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facecli.errors import NoFaceError
from facecli.types import Image

PLAIN = 16  # of 255: a picture whose channels spread less, but for the utmost thousandths, shows nothing
DARK = 32  # of 255: a plain picture below it is black
SAMPLE = 2**18  # pixels, evenly spread: as many are looked at for that
REDUCED = 2  # times: a picture that was seen so much smaller may hide a face that is there
LARGEST_SEEN = 4096  # px: the largest size that is advised; what a network needs grows with the square
LARGEST_CROP = 320  # px: a larger picture is hardly a face alone


def no_face(
    image: Image, *, turned: bool, plugin: str | None = None, seen: float | None = None, limits: Sequence[str] = ()
) -> NoFaceError:
    """Return the error for a picture in which no face was found, with a hint that fits it.

    turned: whether it was looked at in its four turns. plugin: the detector's name. seen: px, the longer side to which
    the detector's parameter `size` reduces a picture; None if it has none. limits: the settings, of min_score and
    min_face_size, by which faces may have been left out.
    """
    message = f"no face found in {image.source}"
    if colour := _plain(image):
        return NoFaceError(f"{message}, which is nearly {colour}", hint="see whether it is the picture that you mean")
    longer = max(image.width, image.height)
    tries = [f"a lower {{{limit}}}" for limit in limits]
    if plugin is not None and seen and longer >= REDUCED * seen:
        why = f"it was seen {longer / seen:.0f} times smaller; if the model takes that"
        tries.append(f"{{parameters}} {plugin}.size={min(longer, LARGEST_SEEN)} ({why})")
    if not turned:
        tries.append("{rotate} auto if it is turned")
    tries.append("another {detector}")
    if longer <= LARGEST_CROP:
        tries.append("{no_detect} if the picture is a face")
    about = (*limits, "rotate", "parameters", "detector", "no_detect")
    hint = " or ".join([", ".join(tries[:-1]), tries[-1]] if tries[1:] else tries)
    return NoFaceError(message, hint=f"try {hint}", about=about)


def doubt(image: Image) -> str | None:
    """Return why a picture that is taken as a crop of a face is hardly one, such as "is nearly white"; None if it may.

    A detector would have to tell whether there is a face, and whether it stands upright.
    """
    if colour := _plain(image):
        return f"is nearly {colour}"
    if max(image.width, image.height) > LARGEST_CROP:
        return f"has {image.width}x{image.height} pixels"
    return None


def _plain(image: Image) -> str | None:
    """Return "black", "white" or "of one colour" for a picture that shows nothing, None for any other."""
    step = max(1, round((image.width * image.height / SAMPLE) ** 0.5))
    low, high = np.percentile(image.pixels[::step, ::step], (0.1, 99.9), axis=(0, 1))
    if (high - low).max() >= PLAIN:
        return None
    if high.max() < DARK:
        return "black"
    return "white" if low.min() > 255 - DARK else "of one colour"
