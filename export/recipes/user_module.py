"""The recipe for any torch module of the user's, named as `package.module:callable`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from facecli.contract import ExportPart, ExportRecipe, ModelSpec, Task
from facecli.errors import ExportError, UsageError, first_line
from facecli.export.recipes.user_inputs import Inputs


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
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's code may raise anything
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
