"""The proof that an ONNX file computes what its source network computes, output by output."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.errors import ExportError, first_line
from facecli.export.proof import soundness
from facecli.export.proof.tolerances import Tolerances, agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import ExportPart, Session, Task
    from facecli.export.proof.cases import Case

Network = Callable[..., "tuple[NDArray[np.float32], ...]"]


@dataclass(frozen=True, slots=True)
class Figures:
    """The distance of one output from the source's, for one case. Differences are absolute, in the output's unit.

    data: "random", or the origin of the real crops, "portraits" or "samples". inputs: the shape of each input.
    tolerance: the limit of max_difference, None if only the meaning counts. meaning: for the first output, the least
    cosine of embeddings or the part of rows with the same arg max; None for other outputs.
    """

    output: str
    data: str
    inputs: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    max_difference: float
    mean_difference: float
    tolerance: float | None
    meaning: float | None


def prove(
    part: ExportPart, path: Path, cases: Sequence[Case], task: Task, tolerances: Tolerances
) -> tuple[Figures, ...]:
    """Compare a file with its source on every case. Raises ExportError where they disagree, and if both are wrong."""
    from facecli.inference.session import open_session

    session = open_session(path, device="cpu")
    _check_inputs(part, path.name, session)
    source = source_network(part)
    soundness.check(part, path.name, session, cases)
    return tuple(
        figures for case in cases for figures in _Comparison(part, path.name, task, tolerances, case)(session, source)
    )


def check(path: Path) -> None:
    """Raise ExportError if a file is not valid ONNX by the judgement of ONNX's own checker, shapes included."""
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # the checker's errors share no base class
        raise ExportError(f"{path.name} is not valid ONNX: {first_line(error)}") from error


def source_network(part: ExportPart) -> Network:
    """Return the network that a file is compared with, arrays in and out: the part's reference, else its module."""
    if part.reference is not None:
        return part.reference

    def run(*inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        import torch
        from torch.utils._pytree import tree_leaves  # the order in which torch.export flattens outputs, too

        with torch.inference_mode():
            outputs = part.module(*(torch.from_numpy(array) for array in inputs))
        return tuple(output.numpy() for output in tree_leaves(outputs))  # a network may return a list or a dict

    return run


def _check_inputs(part: ExportPart, name: str, session: Session) -> None:
    if tuple(session.input_shapes) != tuple(part.input_names):
        raise ExportError(f"{name} has the inputs {list(session.input_shapes)}, not {list(part.input_names)}")
    for entry, shape in session.input_shapes.items():
        free = {axis for axis, length in enumerate(shape) if length is None}
        stated = part.dynamic_axes.get(entry, {})
        if free != set(stated):
            raise ExportError(f"{name}: input {entry!r} is {shape}, its free axes must be {sorted(stated)}")


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The comparison of one file with its source on one case. name: the file's."""

    part: ExportPart
    name: str
    task: Task
    tolerances: Tolerances
    case: Case

    def __call__(self, session: Session, source: Network) -> Iterator[Figures]:
        outputs = session.run(dict(zip(self.part.input_names, self.case.inputs, strict=True)))
        if tuple(outputs) != tuple(self.part.output_names):
            raise ExportError(f"{self.name} has the outputs {list(outputs)}, not {list(self.part.output_names)}")
        expected = source(*self.case.inputs)
        if len(expected) != len(outputs):
            raise ExportError(f"{self.name} has {len(outputs)} outputs, its source gives {len(expected)}")
        for position, (name, array) in enumerate(outputs.items()):
            # The task is the meaning of the first output alone.
            yield self._difference(name, array, expected[position], "values" if position else self.task)

    def _difference(self, output: str, exported: NDArray[Any], expected: NDArray[np.float32], task: Task) -> Figures:
        shapes = tuple(array.shape for array in self.case.inputs)
        where = f"for {self.case.data} input {shapes[0]}"
        if exported.shape != expected.shape or exported.dtype != expected.dtype:
            what = f"{exported.shape} {exported.dtype}, the source gives {expected.shape} {expected.dtype}"
            raise ExportError(f"{self.name}: output {output!r} is {what} {where}")
        distance = np.abs(exported.astype(np.float64) - expected)
        largest, mean = (float(distance.max()), float(distance.mean())) if distance.size else (0.0, 0.0)
        tolerance = self._tolerance(expected)
        # Written so that NaN fails; under an infinite tolerance the values must still be numbers.
        if not (largest <= tolerance and math.isfinite(largest)):
            what = f"{largest:.3g} from its source, the tolerance is {tolerance:.3g}"
            raise ExportError(f"{self.name}: output {output!r} is {what}, {where}")
        meaning = agreement(task, exported, expected)
        least = self.tolerances.cosine if task == "embedding" else self.tolerances.classes
        judged = self.tolerances.random or self.case.data != "random"
        if judged and meaning is not None and not meaning >= least:
            kind = "embeddings have a least cosine" if task == "embedding" else "part of equal classes is"
            raise ExportError(f"{self.name}: output {output!r}: {kind} {meaning:.6g}, the least is {least:g}, {where}")
        limit = tolerance if math.isfinite(tolerance) else None
        return Figures(output, self.case.data, shapes, exported.shape, largest, mean, limit, meaning)

    def _tolerance(self, expected: NDArray[np.float32]) -> float:
        """Return the allowed absolute difference: the part's for fp32, else a share of the output's largest value."""
        if self.tolerances.values is None:
            return self.part.tolerance
        if math.isinf(self.tolerances.values):
            return math.inf
        return self.tolerances.values * float(np.abs(expected).max(initial=0.0))
