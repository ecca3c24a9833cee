"""The report beside an exported file, as JSON: the file, what made it, and every figure of its proof."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.contract import Task
    from facecli.export.proof.axes import DeclaredAxes
    from facecli.export.proof.detection import DetectionProof
    from facecli.export.proof.parity import Figures
    from facecli.export.proof.tolerances import Tolerances

SCHEMA = "facecli.export-report/1"
DISTRIBUTIONS = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One exported file: where it lies, what made it, and how well it agrees with its source.

    kind: "fp32", "fp16", "int8" or "ort". report: the JSON file beside it. size: bytes. source: the name of the weights
    file. exporter: "torch.export", "torchscript: ..." with the reason, or "onnx". notes: changes to the weights before
    the export. steps: changes to the graph after it. metadata: the facts inside the file. tolerance: the part's own
    absolute tolerance, which fp32 must keep. latency: kind -> batch size -> ms of a run, of this file and of the fp32
    one. accuracy: the judge's figures of both, on the user's pairs.
    """

    kind: str
    path: Path
    report: Path
    size: int
    sha256: str
    source: str
    source_sha256: str
    exporter: str
    notes: tuple[str, ...]
    steps: tuple[str, ...]
    opset: int
    metadata: dict[str, str]
    task: Task
    tolerance: float
    tolerances: Tolerances
    figures: tuple[Figures, ...]
    axes: DeclaredAxes
    detection: DetectionProof | None = None
    latency: dict[str, dict[str, float]] | None = None
    accuracy: dict[str, Any] | None = None

    @property
    def proved_on(self) -> str | None:
        """The origin of the proof's real faces, "portraits" or "samples"; None if it had random inputs alone."""
        if self.detection is not None:
            return self.detection.data
        return next((one.data for one in self.figures if one.data != "random"), None)

    @property
    def worst(self) -> dict[str, WorstFigures]:
        """Output name -> its worst figures over all cases."""
        names = dict.fromkeys(one.output for one in self.figures)
        return {name: self._worst([one for one in self.figures if one.output == name]) for name in names}

    def _worst(self, figures: list[Figures]) -> WorstFigures:
        judged = [one for one in figures if self.tolerances.random or one.data != "random"] or figures
        meanings = [one.meaning for one in judged if one.meaning is not None]
        return WorstFigures(
            max(one.max_difference for one in figures),
            max(one.mean_difference for one in figures),
            min(meanings, default=None),
        )


@dataclass(frozen=True, slots=True)
class WorstFigures:
    """The largest differences of an output from the source's, in the output's unit, and its least agreement in meaning.

    meaning: the least cosine or part of equal classes, of the cases that had to reach one; None if there are none.
    """

    max_difference: float
    mean_difference: float
    meaning: float | None


def document(file: ExportedFile) -> dict[str, Any]:
    """Return the report as it is written to JSON."""
    return {
        "schema": SCHEMA,
        "file": file.path.name,
        "kind": file.kind,
        "size": file.size,
        "sha256": file.sha256,
        "source": file.source,
        "source_sha256": file.source_sha256,
        "opset": file.opset,
        "exporter": file.exporter,
        "notes": list(file.notes),
        "steps": list(file.steps),
        "metadata": file.metadata,
        "versions": {name: _version(name) for name in DISTRIBUTIONS},
        "task": file.task,
        "tolerance": file.tolerance,
        "axes": file.axes.document(),
        "bars": _requirements(file),
        "proved_on": file.proved_on,
        "parity": [asdict(figures) for figures in file.figures],
        "detection": file.detection and asdict(file.detection),
        "latency_ms": file.latency,
        "accuracy": file.accuracy,
    }


def _requirements(file: ExportedFile) -> dict[str, float | None]:
    """Return the tolerances that this file was judged by; None for those that do not apply to it."""
    tolerances = file.tolerances
    values = tolerances.values
    return {
        "relative_difference": values if values is not None and values < float("inf") else None,
        "cosine": tolerances.cosine if file.task == "embedding" else None,
        "equal_classes": tolerances.classes if file.task == "classification" else None,
        "iou": tolerances.iou if file.detection else None,
        "landmarks_px": tolerances.landmarks if file.detection else None,
    }


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:  # such as onnxruntime where onnxruntime-gpu is installed
        return None
