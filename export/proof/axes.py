"""What a file says of its axes, how many, which are free and their names; and whether that is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import ExportError

if TYPE_CHECKING:
    from facecli.contract import ExportPart
    from facecli.export.proof.parity import Figures

Axes = tuple[int | str | None, ...]  # the length of each axis; of a free one its name, None if it has none


@dataclass(frozen=True, slots=True)
class Declared:
    """Name -> axes, in the file's order; None where the file says nothing of an input's or output's axes."""

    inputs: Mapping[str, Axes | None]
    outputs: Mapping[str, Axes | None]

    def document(self) -> dict[str, Any]:
        """The same for the report."""
        return {
            kind: {name: axes and list(axes) for name, axes in entries.items()}
            for kind, entries in (("inputs", self.inputs), ("outputs", self.outputs))
        }


def declared(path: Path) -> Declared:
    """What a .onnx file says itself, not what ONNX Runtime infers; of an .ort file, what it was made to say."""
    if path.suffix == ".ort":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        own = (session.get_inputs(), session.get_outputs())
        return Declared(*({entry.name: tuple(entry.shape) for entry in entries} for entries in own))
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = {value.name: _axes(value) for value in graph.input if value.name not in constants}
    return Declared(inputs, {value.name: _axes(value) for value in graph.output})


def check(part: ExportPart, name: str, said: Declared, figures: Sequence[Figures]) -> None:
    """Raise ExportError if a file's axes are not those that the recipe states and that the source has.

    figures: all that was compared, whose shapes the source gave.
    """
    for given, wanted in part.dynamic_axes.items():
        axes = said.inputs.get(given)
        free = {axis: length for axis, length in enumerate(axes or ()) if not isinstance(length, int)}
        if free != dict(wanted):
            raise ExportError(f"{name}: input {given!r} is {told(axes)}, the recipe frees {dict(wanted)}")
    for output in part.output_names:
        rows = [one for one in figures if one.output == output]
        axes = said.outputs.get(output)
        if axes is None or len(axes) != len(rows[0].shape):
            raise ExportError(f"{name}: output {output!r} is declared {told(axes)}, its source gives {rows[0].shape}")
        for axis, length in enumerate(axes):
            if (wanted_here := _mended(part, rows, axis, length)) is not None:
                where = f"output {output!r} is declared {told(axes)}"
                raise ExportError(f"{name}: {where}, axis {axis} must be {wanted_here}")


def told(axes: Axes | None) -> str:
    """Axes for people, such as (batch, 128)."""
    if axes is None:
        return "nowhere"
    return "(" + ", ".join("?" if length is None else str(length) for length in axes) + ")"


def _mended(part: ExportPart, rows: Sequence[Figures], axis: int, length: int | str | None) -> str | None:
    """What an output's axis must be instead of `length`; None if that is right.

    Where the recipe states nothing of outputs, an axis whose length changes in the source must be free. The first one
    must have the name of the input's axis that is always as long, if there is one; others must not have the name of
    one that is not: strides may make them as long here and not everywhere. One whose length does not change may be
    free: that of some outputs depends on values.
    """
    lengths = {row.shape[axis] for row in rows}
    changes, only = len(lengths) > 1, min(lengths)
    if part.output_axes is not None:
        stated = part.output_axes.get(rows[0].output, {})
        if axis in stated:
            return None if length == stated[axis] else f"{stated[axis]!r}, as the recipe states"
        if changes:
            return "stated by the recipe: its length changes"
        return None if length == only else f"{only}"
    if not changes:
        return f"{only}" if isinstance(length, int) and length != only else None
    free = _free_inputs(part, rows)
    names = [name for name, lengths_of in free if lengths_of == [row.shape[axis] for row in rows]]
    taken = axis == 0 or isinstance(length, int) or length in dict(free)
    if names and taken:
        return None if length in names else f"{' or '.join(names)}, as its input's"
    return "free" if isinstance(length, int) else None


def _free_inputs(part: ExportPart, rows: Sequence[Figures]) -> list[tuple[str, list[int]]]:
    """The free axes of the inputs: name, and length in each case."""
    return [
        (name, [row.inputs[place][axis] for row in rows])
        for place, given in enumerate(part.input_names)
        for axis, name in part.dynamic_axes.get(given, {}).items()
    ]


def _axes(value: Any) -> Axes | None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in tensor.shape.dim)
