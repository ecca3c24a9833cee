"""Convert one network to one ONNX model through torch.export, or through the older torchscript where that fails.

A network that its recipe made of a published ONNX file is an ONNX model already.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from facecli.errors import ExportError, first_line
from facecli.models.disk.work import work_folder

if TYPE_CHECKING:
    import onnx
    from torch import Tensor

    from facecli.contract import ExportPart

TRACE_BATCH = 2  # torch.export takes a batch of 1 for a constant


def convert(part: ExportPart, opset: int) -> tuple[onnx.ModelProto, str]:
    """Return the ONNX model of a part, and its exporter: "torch.export", or "torchscript: <why torch.export failed>".

    The exporter of a part that is an ONNX model already is "onnx". Raises ExportError if both exporters of PyTorch
    fail, or if the recipe states another opset than such a model's, or no reference.
    """
    import onnx

    if isinstance(part.module, onnx.ModelProto):
        return _copied(part, opset), "onnx"
    import torch

    inputs = tuple(torch.from_numpy(array) for array in part.sample(TRACE_BATCH, 0))
    with _silenced():
        try:
            return _by_torch_export(part, inputs, opset), "torch.export"
        except Exception as error:  # noqa: BLE001 - the exporter's errors share no base class
            first = _cause(error)
        try:
            return _by_torchscript(part, inputs, opset), f"torchscript: torch.export failed with {first}"
        except Exception as error:
            second = _cause(error)
            raise ExportError(f"{part.file} can not be exported: {first}; nor by torchscript: {second}") from error


def _copied(part: ExportPart, opset: int) -> onnx.ModelProto:
    import onnx

    if part.reference is None:
        raise ExportError(f"{part.file} is made of ONNX, so its recipe must state a reference that runs the source")
    (actual,) = (entry.version for entry in part.module.opset_import if not entry.domain)
    if actual != opset:
        raise ExportError(f"{part.file} is of opset {actual}, its recipe states {opset}")
    model = onnx.ModelProto()
    model.CopyFrom(part.module)
    return model


def _by_torch_export(part: ExportPart, inputs: tuple[Tensor, ...], opset: int) -> onnx.ModelProto:
    import torch

    # AUTO, not a named Dim: a name makes torch insist on its own idea of the range. The names are set on the result,
    # and an axis that torch has fixed behind our back is found by the proof.
    automatic = torch.export.Dim.AUTO
    shapes = tuple(dict.fromkeys(part.dynamic_axes.get(name, {}), automatic) for name in part.input_names)
    program = torch.onnx.export(
        part.module,
        inputs,
        dynamo=True,
        dynamic_shapes=shapes,
        input_names=part.input_names,
        output_names=part.output_names,
        opset_version=opset,
        external_data=False,
        verbose=False,
    )
    if program is None:
        raise ExportError("torch.onnx.export returned nothing")
    return program.model_proto


def _by_torchscript(part: ExportPart, inputs: tuple[Tensor, ...], opset: int) -> onnx.ModelProto:
    import onnx
    import torch

    with work_folder() as folder:
        path = folder / part.file
        torch.onnx.export(
            part.module,
            inputs,
            path,
            dynamo=False,
            dynamic_axes={name: dict(axes) for name, axes in part.dynamic_axes.items()},
            input_names=part.input_names,
            output_names=part.output_names,
            opset_version=opset,
        )
        return onnx.load(path)


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Suppress the exporter's prints, warnings and log lines: the proof reports what matters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _cause(error: BaseException) -> str:
    """Return the first line of the innermost error, which the exporter wraps in a page of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)
