"""The inputs of a user's torch module, read from texts such as `crops=1x3x112x112` and `crops:0=batch`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facecli.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INPUT = re.compile(r"(?:(?P<name>[A-Za-z_][\w.]*)=)?(?P<shape>[1-9]\d{0,5}(?:x[1-9]\d{0,5}){0,7})")
_FREE = re.compile(r"(?:(?P<input>[A-Za-z_][\w.]*):)?(?P<axis>\d)(?:=(?P<name>[A-Za-z_]\w*))?")
AXES = ("batch", "channels", "height", "width")  # default names of free axes, by position
LARGEST = 2**28  # values in one input, so that a typing error does not ask for all memory


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a network. shapes: name -> shape. free: name -> {free axis: its name}."""

    shapes: Mapping[str, tuple[int, ...]]
    free: Mapping[str, Mapping[int, str]]

    def sample(self, batch: int, variant: int) -> tuple[NDArray[np.float32], ...]:
        """Return random float32 values in [-1, 1) for each input.

        A free first axis is `batch` long. Other free axes have 1, 2 and 1.5 times their length in variants 0, 1 and 2.
        """
        import numpy as np

        generator = np.random.default_rng(batch * 10 + variant)
        return tuple(
            generator.uniform(-1, 1, self._shape(name, batch, variant)).astype(np.float32) for name in self.shapes
        )

    def _shape(self, name: str, batch: int, variant: int) -> tuple[int, ...]:
        halves = (2, 4, 3)[variant]
        free = self.free.get(name, {})
        lengths = [n * halves // 2 if axis in free else n for axis, n in enumerate(self.shapes[name])]
        return (batch, *lengths[1:]) if 0 in free else tuple(lengths)


def parse_inputs(shapes: tuple[str, ...], free: tuple[str, ...]) -> Inputs:
    """Return the inputs that texts such as `crops=1x3x112x112` and `crops:0=batch` describe.

    An input without a name is called `input`, or `input1`, `input2` ... if there are several. Without any text in
    `free` the first axis of every input is free; the text `none` frees no axis. Raises UsageError for other texts.
    """
    lengths: dict[str, tuple[int, ...]] = {}
    for k, text in enumerate(shapes, 1):
        match = _INPUT.fullmatch(text)
        if match is None:
            raise UsageError(f"{text!r:.60} is no input", hint="such as 1x3x112x112 or crops=1x3x112x112")
        name = match["name"] or ("input" if len(shapes) == 1 else f"input{k}")
        if name in lengths:
            hint = "name them apart: {input} NAME=SHAPE"
            raise UsageError(f"there are two inputs {name!r}", hint=hint, about="input")
        lengths[name] = tuple(int(length) for length in match["shape"].split("x"))
        if math.prod(lengths[name]) > LARGEST:
            raise UsageError(f"the input {text} is too large", hint=f"at most {LARGEST} values")
    if not free:
        return Inputs(lengths, {name: {0: AXES[0]} for name in lengths})
    return Inputs(lengths, {} if free == ("none",) else _free_axes(free, lengths))


def _free_axes(texts: tuple[str, ...], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, dict[int, str]]:
    """Return input -> {free axis: its name}; a text without an input's name frees the axis of all inputs."""
    free: dict[str, dict[int, str]] = {}
    for text in texts:
        match = _FREE.fullmatch(text)
        if match is None:
            raise UsageError(f"{text!r:.60} is no axis", hint="such as 0, 0=batch or crops:2=height; or none")
        axis = int(match["axis"])
        for name in [match["input"]] if match["input"] else shapes:
            if name not in shapes or axis >= len(shapes[name]):
                raise UsageError(f"{text!r}: there is no such axis", hint=f"the inputs are {', '.join(shapes)}")
            default = AXES[axis] if axis < len(AXES) else f"axis{axis}"
            free.setdefault(name, {})[axis] = match["name"] or default
    return free
