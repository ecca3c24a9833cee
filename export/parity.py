"""The proof that an ONNX file computes what its source computes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.errors import ExportError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import ExportPart, Session

BATCHES = (1, 3, 8)
OTHER_SIZES = (1, 2)  # ExportPart.sample's variants


@dataclass(frozen=True, slots=True)
class Figures:
    """How far one output was from the source's, for one input; differences are absolute, in the output's unit."""

    output: str
    inputs: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    max_difference: float
    mean_difference: float


def prove(part: ExportPart, path: Path) -> tuple[Figures, ...]:
    """Check the ONNX file and compare it with its source on every case; ExportError at the first disagreement."""
    from facecli.runtime import open_session

    _check(path, part.file)
    session = open_session(path, device="cpu")
    _compare_inputs(part, session)
    return tuple(figures for inputs in _cases(part) for figures in _compare(part, session, inputs))


def _check(path: Path, name: str) -> None:
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # the checker's errors share no base class
        raise ExportError(f"{name} is not valid ONNX: {str(error).strip().splitlines()[0]}") from error


def _compare_inputs(part: ExportPart, session: Session) -> None:
    if tuple(session.input_shapes) != part.input_names:
        raise ExportError(f"{part.file} has the inputs {list(session.input_shapes)}, not {list(part.input_names)}")
    for name, shape in session.input_shapes.items():
        free = {axis for axis, length in enumerate(shape) if length is None}
        wanted = part.dynamic_axes.get(name, {})
        if free != set(wanted):
            raise ExportError(f"{part.file}: input {name!r} is {shape}, its free axes must be {sorted(wanted)}")


def _cases(part: ExportPart) -> Iterator[tuple[NDArray[np.float32], ...]]:
    for batch in BATCHES:
        yield part.sample(batch, 0)
    if any(axis > 0 for axes in part.dynamic_axes.values() for axis in axes):
        for variant in OTHER_SIZES:
            yield part.sample(1, variant)


def _compare(part: ExportPart, session: Session, inputs: tuple[NDArray[np.float32], ...]) -> Iterator[Figures]:
    outputs = session.run(dict(zip(part.input_names, inputs, strict=True)))
    if tuple(outputs) != part.output_names:
        raise ExportError(f"{part.file} has the outputs {list(outputs)}, not {list(part.output_names)}")
    shapes = tuple(array.shape for array in inputs)
    for (name, got), wanted in zip(outputs.items(), _source(part, inputs), strict=True):
        yield _difference(part, name, shapes, got, wanted)


def _difference(
    part: ExportPart, name: str, inputs: tuple[tuple[int, ...], ...], got: NDArray[Any], wanted: NDArray[np.float32]
) -> Figures:
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        what = f"{got.shape} {got.dtype}, the source gives {wanted.shape} {wanted.dtype}"
        raise ExportError(f"{part.file}: output {name!r} is {what} for input {inputs[0]}")
    distance = np.abs(got.astype(np.float64) - wanted)
    figures = Figures(name, inputs, got.shape, float(distance.max()), float(distance.mean()))
    if not figures.max_difference <= part.tolerance:  # so that NaN fails too
        what = f"{figures.max_difference:.3g} from its source, the tolerance is {part.tolerance:.3g}"
        raise ExportError(f"{part.file}: output {name!r} is {what}, for input {inputs[0]}")
    return figures


def _source(part: ExportPart, inputs: tuple[NDArray[np.float32], ...]) -> tuple[NDArray[np.float32], ...]:
    if part.reference is not None:
        return part.reference(*inputs)
    import torch

    with torch.inference_mode():
        outputs = part.module(*(torch.from_numpy(array) for array in inputs))
    return tuple(output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,)))
