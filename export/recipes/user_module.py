"""The recipe for any torch module of the user's, named as `package.module:callable`."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.contract import ExportPart, ExportRecipe, ModelSpec, Task
from facecli.errors import ExportError, UsageError, first_line

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


@dataclass(frozen=True, slots=True)
class UserModule:
    """A torch module of the user's, as the options describe it.

    factory: "package.module:callable"; the callable takes no arguments and returns a torch.nn.Module. outputs: names.
    tolerance: the largest absolute difference of an output. spec: the description of the model, for its installation.
    """

    factory: str
    name: str
    inputs: Inputs
    outputs: tuple[str, ...]
    licence: str
    opset: int
    tolerance: float
    task: Task | None = None
    spec: ModelSpec | None = None

    def recipe(self) -> ExportRecipe:
        """Return the recipe; its weights are a file with a state, by default those that the callable's module has."""
        return ExportRecipe(
            name=self.factory,
            summary=f"{self.factory}, of the user's",
            model=self.name,
            build=self.parts,
            default_weights="those of the module",
            licence=self.licence,
            opset=self.opset,
            preprocessing_version=self.spec.preprocessing.version if self.spec and self.spec.preprocessing else 1,
            spec=self.spec,
        )

    def parts(self, weights: Path | None) -> tuple[ExportPart, ...]:
        """Return the one network. Raises ExportError if the callable fails or the state does not fit."""
        from facecli.export.weights.state import load_state

        network, home = make(self.factory)
        notes = () if weights is None else load_state(network, weights)
        part = ExportPart(
            file=f"{self.name.replace('/', '-')}.onnx",
            module=network.eval(),
            input_names=tuple(self.inputs.shapes),
            output_names=self.outputs,
            sample=self.inputs.sample,
            dynamic_axes=self.inputs.free,
            source=weights or home,
            tolerance=self.tolerance,
            task=self.task,
            notes=notes,
        )
        return (part,)


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


def make(factory: str) -> tuple[Any, Path]:
    """Call `package.module:callable`; return the torch module that it makes, and the file of its code.

    The package may lie in the current folder. The user asks for his own code to be run. Raises ExportError if that
    fails or makes no torch module, UsageError for a text of another form.
    """
    package, colon, name = factory.partition(":")
    if not (colon and package and name.isidentifier()):
        hint = "{module} PACKAGE.MODULE:CALLABLE"
        raise UsageError(f"{factory!r:.60} names no module", hint=hint, about="module")
    try:
        with _current_folder():
            home = import_module(package)
            network = getattr(home, name)()
    except Exception as error:  # the user's code may raise anything
        what = f"{type(error).__name__}: {first_line(error)}"
        raise ExportError(f"{factory} makes no network: {what}") from error
    import torch

    if not isinstance(network, torch.nn.Module):
        raise ExportError(f"{factory} gives a {type(network).__name__}, not a torch.nn.Module")
    file = home.__file__
    if file is None:
        raise ExportError(f"{package} is a package without code", hint="name the module that has the callable")
    return network, Path(file)


@contextmanager
def _current_folder() -> Iterator[None]:
    """Let modules be imported from the current folder, as `python -m` does."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
