"""Mending an ONNX file when it comes in: its weights in other files, and inputs that no node reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facecli.errors import ModelError
from facecli.models.arrival.external_data import join_external_data
from facecli.models.arrival.unread_inputs import drop_unread_inputs

SUFFIX = ".onnx"
MOST_NAMES = 3  # of dropped inputs that a note lists


@dataclass(frozen=True, slots=True)
class Mended:
    """A model file that was changed. content: the new file. notes: what was done, one sentence each."""

    content: bytes
    notes: tuple[str, ...]


def mend(path: Path) -> Mended | None:
    """Return an ONNX file made fit to run, None if there is nothing to mend or if it is no ONNX file.

    Raises ModelError if weights of it lie in a file that can not be had.
    """
    if path.suffix != SUFFIX:
        return None
    notes: list[str] = []
    try:
        content, files = join_external_data(path.read_bytes(), path.parent)
        content, inputs = drop_unread_inputs(content)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error.message}", hint=error.hint) from error
    except (ValueError, RecursionError):  # ONNX Runtime says what is wrong with it
        return None
    if files:
        notes.append(f"the weights of {', '.join(files)} were put into it")
    if inputs:
        listed = ", ".join(inputs[:MOST_NAMES]) + (", ..." if len(inputs) > MOST_NAMES else "")
        counted = (
            "1 input that no node reads was" if len(inputs) == 1 else f"{len(inputs)} inputs that no node reads were"
        )
        notes.append(f"{counted} dropped: {listed}")
    return Mended(content, tuple(notes)) if notes else None
