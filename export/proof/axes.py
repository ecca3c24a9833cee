"""The axes that an exported file declares, their lengths or names, and the check that they are true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import ExportError

if TYPE_CHECKING:
    from facecli.contract import ExportPart
    from facecli.export.proof.parity import Figures

Axes = tuple[int | str | None, ...]  # the length of each axis; of a free axis its name, None if it has none


@dataclass(frozen=True, slots=True)
class DeclaredAxes:
    """Input and output names -> their axes, in the file's order; None where the file declares no axes."""

    inputs: Mapping[str, Axes | None]
    outputs: Mapping[str, Axes | None]

    def document(self) -> dict[str, Any]:
        """Return the axes as the report's JSON has them."""
        return {
            kind: {name: axes and list(axes) for name, axes in entries.items()}
            for kind, entries in (("inputs", self.inputs), ("outputs", self.outputs))
        }


def declared_axes(path: Path) -> DeclaredAxes:
    """Return the axes in an .onnx or .ort file.

    An .onnx file is read as it is, because ONNX Runtime would complete it with inferred shapes. Only ONNX Runtime reads
    an .ort file; its axes are those that the optimizer wrote.
    """
    if path.suffix == ".ort":
        from facecli.inference.session import open_session

        return DeclaredAxes(*open_session(path, device="cpu").axes)
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = {value.name: _axes(value) for value in graph.input if value.name not in constants}
    return DeclaredAxes(inputs, {value.name: _axes(value) for value in graph.output})


def check(part: ExportPart, name: str, declared: DeclaredAxes, figures: Sequence[Figures]) -> None:
    """Raise ExportError unless a file's axes are those that the recipe states and that the source's outputs have.

    name: the file's, for the message. figures: every comparison of the file, with the shapes that the source gave.
    """
    for entry, free_axes in part.dynamic_axes.items():
        axes = declared.inputs.get(entry)
        free = {axis: length for axis, length in enumerate(axes or ()) if not isinstance(length, int)}
        if free != dict(free_axes):
            raise ExportError(f"{name}: input {entry!r} is {axes_text(axes)}, the recipe frees {dict(free_axes)}")
    for output in part.output_names:
        rows = [one for one in figures if one.output == output]
        axes = declared.outputs.get(output)
        if axes is None or len(axes) != len(rows[0].shape):
            what = f"output {output!r} is declared {axes_text(axes)}"
            raise ExportError(f"{name}: {what}, its source gives {rows[0].shape}")
        for axis, length in enumerate(axes):
            if (correction := _correction(part, rows, axis, length)) is not None:
                what = f"output {output!r} is declared {axes_text(axes)}"
                raise ExportError(f"{name}: {what}, axis {axis} must be {correction}")


def axes_text(axes: Axes | None) -> str:
    """Return axes as people read them, such as (batch, 128)."""
    if axes is None:
        return "nowhere"
    return "(" + ", ".join("?" if length is None else str(length) for length in axes) + ")"


def _correction(part: ExportPart, rows: Sequence[Figures], axis: int, length: int | str | None) -> str | None:
    """Return what an output's axis must be instead of `length`; None if `length` is right.

    A recipe that states output axes is taken at its word. Otherwise an axis whose length changes in the source must be
    free. Axis 0 must be named like the input axis of the same length. Any other axis must not borrow an input's name
    unless the lengths agree in every case: a stride can make them equal once by chance. An axis whose length did not
    change may be free, because the lengths of some outputs depend on values.
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
    borrowed = axis == 0 or isinstance(length, int) or length in dict(free)
    if names and borrowed:
        return None if length in names else f"{' or '.join(names)}, as its input's"
    return "free" if isinstance(length, int) else None


def _free_inputs(part: ExportPart, rows: Sequence[Figures]) -> list[tuple[str, list[int]]]:
    """Return the free axes of the inputs: the axis's name, and its length in each comparison."""
    return [
        (name, [row.inputs[position][axis] for row in rows])
        for position, entry in enumerate(part.input_names)
        for axis, name in part.dynamic_axes.get(entry, {}).items()
    ]


def _axes(value: Any) -> Axes | None:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in tensor.shape.dim)
