"""A recipe made on the spot: any torch module of the user's, named as `package.module:callable`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.contract import ExportPart, ExportRecipe, ModelSpec, Task
from facecli.errors import ExportError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INPUT = re.compile(r"(?:(?P<name>[A-Za-z_][\w.]*)=)?(?P<shape>[1-9]\d{0,5}(?:x[1-9]\d{0,5}){0,7})")
_FREE = re.compile(r"(?:(?P<input>[A-Za-z_][\w.]*):)?(?P<axis>\d)(?:=(?P<name>[A-Za-z_]\w*))?")
AXES = ("batch", "channels", "height", "width")  # what axis K is called if nobody names it
LARGEST = 2**28  # values of one input; a slip of the finger must not ask for all memory


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a network: name -> shape, and name -> {free axis: its name}."""

    shapes: Mapping[str, tuple[int, ...]]
    free: Mapping[str, Mapping[int, str]]

    def sample(self, batch: int, variant: int) -> tuple[NDArray[np.float32], ...]:
        """Random values in [-1, 1): a free first axis is `batch` long, others 1, 2 and 1.5 times theirs by variant."""
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
    """What the user says of a module.

    factory: package.module:callable, which takes nothing and gives a torch.nn.Module. spec: what the model is for.
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
        """The recipe; its weights are a file with a state, or what the callable's module has already."""
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
        """The one network. Raises ExportError."""
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
    """Inputs of texts such as `crops=1x3x112x112` and `crops:0=batch`; raises UsageError for what is none.

    Without a name an input is `input`, or `input1`, `input2` ... if there are several. No `free` at all frees every
    input's first axis; `none` frees no axis.
    """
    known: dict[str, tuple[int, ...]] = {}
    for k, text in enumerate(shapes, 1):
        match = _INPUT.fullmatch(text)
        if match is None:
            raise UsageError(f"{text!r:.60} is no input", hint="such as 1x3x112x112 or crops=1x3x112x112")
        name = match["name"] or ("input" if len(shapes) == 1 else f"input{k}")
        if name in known:
            raise UsageError(f"there are two inputs {name!r}", hint="name them apart: --input NAME=SHAPE")
        known[name] = tuple(int(length) for length in match["shape"].split("x"))
        count = 1
        for length in known[name]:
            count *= length
        if count > LARGEST:
            raise UsageError(f"the input {text} is too large", hint=f"at most {LARGEST} values")
    if not free:
        return Inputs(known, {name: {0: AXES[0]} for name in known})
    return Inputs(known, {} if free == ("none",) else _free_axes(free, known))


def _free_axes(texts: tuple[str, ...], known: Mapping[str, tuple[int, ...]]) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for text in texts:
        match = _FREE.fullmatch(text)
        if match is None:
            raise UsageError(f"{text!r:.60} is no axis", hint="such as 0, 0=batch or crops:2=height; or none")
        axis = int(match["axis"])
        for name in [match["input"]] if match["input"] else known:
            if name not in known or axis >= len(known[name]):
                raise UsageError(f"{text!r}: there is no such axis", hint=f"the inputs are {', '.join(known)}")
            default = AXES[axis] if axis < len(AXES) else f"axis{axis}"
            found.setdefault(name, {})[axis] = match["name"] or default
    return found


def make(factory: str) -> tuple[Any, Path]:
    """The module that `package.module:callable` makes, and the file it is from. Raises ExportError.

    The package may lie in the current folder. This runs the user's code: it is what he asks for.
    """
    package, colon, name = factory.partition(":")
    if not (colon and package and name.isidentifier()):
        raise UsageError(f"{factory!r:.60} names no module", hint="--module PACKAGE.MODULE:CALLABLE")
    try:
        with _current_folder():
            home = import_module(package)
            made = getattr(home, name)()
    except Exception as error:  # whatever the user's code raises
        first = (str(error).strip().splitlines() or [""])[0]
        raise ExportError(f"{factory} makes no network: {type(error).__name__}: {first}") from error
    import torch

    if not isinstance(made, torch.nn.Module):
        raise ExportError(f"{factory} gives a {type(made).__name__}, not a torch.nn.Module")
    file = home.__file__
    if file is None:
        raise ExportError(f"{package} is a package without code", hint="name the module that has the callable")
    return made, Path(file)


@contextmanager
def _current_folder() -> Iterator[None]:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
