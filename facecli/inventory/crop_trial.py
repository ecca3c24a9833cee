"""A trial run of a network of face crops: it must take and give what its description says, and tell faces apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.crops.preprocess import to_input
from facecli.errors import ModelError
from facecli.hosting.answers import probability_fault
from facecli.hosting.statements import agree, input_shape, shown
from facecli.inference.answers import are_equal, depends_on_neighbours, length_fault
from facecli.inference.reasons import reason_of
from facecli.labels import LABELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import ModelSpec
    from facecli.inference.session import OnnxSession
    from facecli.types import FloatArray, UInt8Array

FREE_BATCH = 2  # crops at once for a file whose batch axis is free
LOST = "were its weights lost when it was made?"


def run(spec: ModelSpec, session: OnnxSession, name: str) -> None:
    """Run a recognizer or an attribute model on a few crops, alone and together.

    spec: a model with crop and preprocessing. name: the file's, for messages. Raises ModelError for a file that takes
    or gives another thing than its description says, and for answers that no working network gives.
    """
    trial = _Trial(spec, session, name, _fixed_batch(spec, session, name))
    first, second, third = trial.crops()
    together = trial.answers([first, *[second] * (trial.batch - 1)])
    other = together[1] if trial.batch > 1 else trial.answers([second])[0]
    _check_difference(spec, np.stack([together[0], other]), name)
    if trial.is_free:
        company = trial.answers([first])
    elif trial.batch > 1:
        company = trial.answers([first, *[third] * (trial.batch - 1)])
    else:
        return
    if depends_on_neighbours(together[0], company[0]):
        message = f"{name} gives a face another answer beside other faces"
        raise ModelError(message, hint="export it in evaluation mode, or with a batch of one")


@dataclass(frozen=True, slots=True)
class _Trial:
    """The runs of one file. fixed: the length of its batch axis, None if that is free."""

    spec: ModelSpec
    session: OnnxSession
    name: str
    fixed: int | None

    @property
    def is_free(self) -> bool:
        return self.fixed is None

    @property
    def batch(self) -> int:
        return self.fixed or FREE_BATCH

    def crops(self) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
        """Return three crops that differ in every way: noise, its half above dark, and a slope of colours."""
        assert self.spec.crop is not None
        shape = (self.spec.crop.height, self.spec.crop.width, 3)
        noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        slope = np.linspace(0, 255, math.prod(shape)).reshape(shape).astype(np.uint8)
        half = noise.copy()
        half[shape[0] // 2 :] //= 4
        return noise, slope, half

    def answers(self, crops: list[UInt8Array]) -> FloatArray:
        """Return the output for crops, (N, width) float32 and finite. Raises ModelError for any other."""
        assert self.spec.preprocessing is not None
        ((entry, _),) = self.session.input_shapes.items()
        try:
            outputs = self.session.run({entry: to_input(np.stack(crops), self.spec.preprocessing)})
        except ModelError:  # it took too long
            raise
        except Exception as error:  # onnxruntime's errors share no base class
            reason = reason_of(error)
            raise ModelError(f"{self.name} does not run: {reason.text}", hint=reason.hint) from error
        output: NDArray[Any] = next(iter(outputs.values()))
        _check_form(self.spec, output, len(crops), self.name)
        if self.spec.kind == "attribute" and self.spec.labels:
            _check_probabilities(self.spec, output, self.name)
        return output


def _fixed_batch(spec: ModelSpec, session: OnnxSession, name: str) -> int | None:
    """Return the length of a file's batch axis, None if it is free. Raises ModelError for inputs that are no crops."""
    shapes = session.input_shapes
    if len(shapes) != 1:
        counted = "no input that is read" if not shapes else f"{len(shapes)} inputs ({', '.join(shapes)}), not one"
        raise ModelError(f"{name} has {counted}", hint="it needs a plugin of its own")
    ((entry, shape),) = shapes.items()
    if (kind := session.input_types[entry]) != "float":
        hint = "export it with float32 inputs" + (" (keep_io_types=True)" if kind == "float16" else "")
        raise ModelError(f"{name} takes numbers of type {kind}, not float32", hint=hint)
    stated = input_shape(spec, shape[0] if shape else None)
    assert stated is not None
    if not agree(shape, stated):
        hint, about = _way_out(shape, stated)
        raise ModelError(f"{name} takes {shown(shape)}, its description makes {shown(stated)}", hint=hint, about=about)
    return shape[0]


def _way_out(shape: tuple[int | None, ...], stated: tuple[int | None, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the hint for an input of another shape, and the settings that it names."""
    if len(shape) != len(stated):
        return "is it a network of face crops? it needs a plugin of its own", ()
    count, *rest = stated
    turned = (count, *rest[-1:], *rest[:-1]) if rest[-1] in (1, 3) else (count, *rest[1:], rest[0])
    if agree(shape, turned):
        return "its layout is the other one: mend {layout}", ("layout",)
    channels = 1 if stated[1] in (1, 3) else 3
    if shape[channels] not in (None, stated[channels]):
        return "its channels are others: mend {colour} or {layout}", ("colour", "layout")
    return "its crops are of another size: mend {crop}", ("crop",)


def _check_form(spec: ModelSpec, output: NDArray[Any], count: int, name: str) -> None:
    """Raise ModelError unless an output is (count, width) float32 and finite."""
    # An attribute that has labels, in an entry without any: the columns are the business of the plugin that joins them.
    number = spec.attribute and spec.attribute not in LABELS
    width = spec.dim or len(spec.labels) or (1 if number else None)
    if output.ndim != 2:
        squeezable = output.ndim > 2 and output.size == output.shape[0] * output.shape[1]
        hint = "flatten its output to two axes before the export" if squeezable else "is its first output the answer?"
        raise ModelError(f"{name} gives {output.shape}, not one row for each crop", hint=hint)
    if len(output) != count:
        rows = "1 row" if len(output) == 1 else f"{len(output)} rows"
        raise ModelError(f"{name} gives {rows} for {count} crops", hint="export it with a free batch axis")
    if output.dtype != np.float32:
        raise ModelError(f"{name} gives {output.dtype}, not float32", hint="export it with float32 outputs")
    if width is not None and output.shape[1] != width:
        setting = "dim" if spec.kind == "recognizer" else "labels"
        message = f"{name} gives {output.shape[1]} numbers for a crop, its description says {width}"
        raise ModelError(message, hint=f"mend {{{setting}}}", about=setting)
    if not np.isfinite(output).all():
        what = "NaN (not a number)" if np.isnan(output).any() else "infinity"
        raise ModelError(f"{name} gives {what}", hint="was it made from float16 weights that overflow?")


def _check_difference(spec: ModelSpec, answers: FloatArray, name: str) -> None:
    """Raise ModelError for answers, (2, width), to two crops that are equal, or embeddings without a length."""
    if spec.kind == "recognizer" and (fault := length_fault(answers, normalized=False)):
        raise ModelError(f"{name}: {fault}", hint=LOST)
    if are_equal(answers):
        what = "embedding" if spec.kind == "recognizer" else "answer"
        raise ModelError(f"{name} gives the same {what} to different pictures", hint=LOST)


def _check_probabilities(spec: ModelSpec, output: FloatArray, name: str) -> None:
    """Raise ModelError unless the output, (N, C), is probabilities exactly if the description says so."""
    probable = probability_fault(output) is None
    if spec.logits and probable:
        raise ModelError(f"{name} gives probabilities already", hint="leave {logits} out", about="logits")
    if not spec.logits and not probable:
        hint = "add {logits} if only the softmax is missing"
        raise ModelError(f"{name} does not give probabilities", hint=hint, about="logits")
