"""The proof that a network answers to its input, and to nothing else: a file may agree with a source that is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facecli.errors import ExportError
from facecli.inference.answers import are_equal, depends_on_neighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from facecli.contract import ExportPart, Session
    from facecli.export.proof.cases import Case


def check(part: ExportPart, name: str, session: Session, cases: Sequence[Case]) -> None:
    """Raise ExportError if a file answers the same to different inputs, or otherwise to one beside others.

    name: the file's. Judged are outputs with a row for each input, of a case with several inputs; a network that has
    none of them is not judged.
    """
    several = [case for case in cases if len(case.inputs[0]) > 1]
    if not several:
        return
    inputs = several[0].inputs
    count = len(inputs[0])
    together = _rows(part, session, inputs, count)
    if together and all(are_equal(rows.reshape(count, -1)) for rows in together.values()):
        hint = "are its weights loaded, and its layers connected?"
        raise ExportError(f"{name} gives the same answer to different inputs", hint=hint)
    if not all(0 in part.dynamic_axes.get(entry, {}) for entry in part.input_names):
        return
    alone = _rows(part, session, [array[:1] for array in inputs], 1)
    for output, rows in together.items():
        if output in alone and depends_on_neighbours(np.ravel(alone[output][0]), np.ravel(rows[0])):
            hint = "call eval() on the module, or export it with a batch of one"
            raise ExportError(f"{name}: output {output!r} depends on the neighbours in a batch", hint=hint)


def _rows(
    part: ExportPart, session: Session, inputs: Sequence[NDArray[np.float32]], count: int
) -> dict[str, NDArray[np.float32]]:
    """Return the outputs that have a row for each of `count` inputs, by name."""
    outputs = session.run(dict(zip(part.input_names, inputs, strict=True)))
    return {name: output for name, output in outputs.items() if output.ndim > 1 and len(output) == count}
