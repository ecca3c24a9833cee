"""The proof that an ONNX file computes what its source computes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.errors import ExportError, first_line
from facecli.export.proof.bars import Bars, meaning_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import ExportPart, Session, Task
    from facecli.export.proof.cases import Case

Network = Callable[..., "tuple[NDArray[np.float32], ...]"]


@dataclass(frozen=True, slots=True)
class Figures:
    """How far one output was from the source's, for one input; differences are absolute, in the output's unit.

    data: "random" or "portraits". tolerance: what max_difference may be, None if only the meaning counts. meaning: of
    the first output, the least cosine of embeddings or the part of rows with the same arg max; None for others.
    """

    output: str
    data: str
    inputs: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    max_difference: float
    mean_difference: float
    tolerance: float | None
    meaning: float | None


def prove(part: ExportPart, path: Path, cases: Sequence[Case], task: Task, bars: Bars) -> tuple[Figures, ...]:
    """Compare a file with its source on every case. Raises ExportError at the first disagreement."""
    from facecli.inference.session import open_session

    session = open_session(path, device="cpu")
    _compare_inputs(part, path.name, session)
    source = source_network(part)
    return tuple(
        figures for case in cases for figures in _Comparison(part, path.name, task, bars, case)(session, source)
    )


def check(path: Path) -> None:
    """Let ONNX's own checker look at a file, shapes included. Raises ExportError if it is not valid."""
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # the checker's errors share no base class
        raise ExportError(f"{path.name} is not valid ONNX: {first_line(error)}") from error


def source_network(part: ExportPart) -> Network:
    """What the file is compared with: the part's reference, or else its module; arrays in, arrays out."""
    if part.reference is not None:
        return part.reference

    def run(*inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        import torch
        from torch.utils._pytree import tree_leaves  # the order in which torch.export flattens outputs, too

        with torch.inference_mode():
            outputs = part.module(*(torch.from_numpy(array) for array in inputs))
        return tuple(output.numpy() for output in tree_leaves(outputs))  # a network may give a list or a dict

    return run


def _compare_inputs(part: ExportPart, name: str, session: Session) -> None:
    if tuple(session.input_shapes) != tuple(part.input_names):
        raise ExportError(f"{name} has the inputs {list(session.input_shapes)}, not {list(part.input_names)}")
    for given, shape in session.input_shapes.items():
        free = {axis for axis, length in enumerate(shape) if length is None}
        wanted = part.dynamic_axes.get(given, {})
        if free != set(wanted):
            raise ExportError(f"{name}: input {given!r} is {shape}, its free axes must be {sorted(wanted)}")


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One case of one file."""

    part: ExportPart
    name: str
    task: Task
    bars: Bars
    case: Case

    def __call__(self, session: Session, source: Network) -> Iterator[Figures]:
        outputs = session.run(dict(zip(self.part.input_names, self.case.inputs, strict=True)))
        if tuple(outputs) != tuple(self.part.output_names):
            raise ExportError(f"{self.name} has the outputs {list(outputs)}, not {list(self.part.output_names)}")
        expected = source(*self.case.inputs)
        if len(expected) != len(outputs):
            raise ExportError(f"{self.name} has {len(outputs)} outputs, its source gives {len(expected)}")
        for position, ((name, got), wanted) in enumerate(zip(outputs.items(), expected, strict=True)):
            yield self._difference(name, got, wanted, "values" if position else self.task)

    def _difference(self, output: str, got: NDArray[Any], wanted: NDArray[np.float32], task: Task) -> Figures:
        shapes = tuple(array.shape for array in self.case.inputs)
        where = f"for {self.case.data} input {shapes[0]}"
        if got.shape != wanted.shape or got.dtype != wanted.dtype:
            what = f"{got.shape} {got.dtype}, the source gives {wanted.shape} {wanted.dtype}"
            raise ExportError(f"{self.name}: output {output!r} is {what} {where}")
        distance = np.abs(got.astype(np.float64) - wanted)
        largest, mean = (float(distance.max()), float(distance.mean())) if distance.size else (0.0, 0.0)
        tolerance = self._tolerance(wanted)
        # Said the way that NaN fails too; an infinite tolerance still wants numbers.
        if not (largest <= tolerance and math.isfinite(largest)):
            what = f"{largest:.3g} from its source, the tolerance is {tolerance:.3g}"
            raise ExportError(f"{self.name}: output {output!r} is {what}, {where}")
        reached = meaning_of(task, got, wanted)
        bar = self.bars.cosine if task == "embedding" else self.bars.classes
        asked = self.bars.random or self.case.data != "random"
        if asked and reached is not None and not reached >= bar:
            kind = "embeddings have a least cosine" if task == "embedding" else "part of equal classes is"
            raise ExportError(f"{self.name}: output {output!r}: {kind} {reached:.6g}, the least is {bar:g}, {where}")
        told = tolerance if math.isfinite(tolerance) else None
        return Figures(output, self.case.data, shapes, got.shape, largest, mean, told, reached)

    def _tolerance(self, wanted: NDArray[np.float32]) -> float:
        """Of an output's values: the part's own, or as much of its largest value as the precision may cost."""
        if self.bars.values is None:
            return self.part.tolerance
        if math.isinf(self.bars.values):
            return math.inf
        return self.bars.values * float(np.abs(wanted).max(initial=0.0))
