"""The report beside an exported file: what it is, what made it, and every figure of its proof."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.contract import Task
    from facecli.export.proof.axes import Declared
    from facecli.export.proof.bars import Bars
    from facecli.export.proof.detection import Found
    from facecli.export.proof.parity import Figures

SCHEMA = "facecli.export-report/1"
DISTRIBUTIONS = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One published file: where it lies, what it is, and how well it agrees with its source.

    kind: "fp32", "fp16", "int8" or "ort". report: the JSON beside it. exporter: "torch.export", or "torchscript: ..."
    with the reason. notes: what was done to the weights before, steps: to the graph afterwards. tolerance: the part's
    own, of fp32. latency: kind -> batch -> ms of this file and of the fp32 one. accuracy: of both, on the user's pairs.
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
    facts: dict[str, str]
    task: Task
    tolerance: float
    bars: Bars
    figures: tuple[Figures, ...]
    axes: Declared
    detection: Found | None = None
    latency: dict[str, dict[str, float]] | None = None
    accuracy: dict[str, Any] | None = None

    @property
    def proved_on(self) -> str | None:
        """Where the real faces of the proof are from, "portraits" or "samples"; None if it was on random ones alone."""
        if self.detection is not None:
            return self.detection.data
        return next((one.data for one in self.figures if one.data != "random"), None)

    @property
    def worst(self) -> dict[str, Worst]:
        """Output name -> the worst of its figures over all cases."""
        names = dict.fromkeys(one.output for one in self.figures)
        return {name: self._worst([one for one in self.figures if one.output == name]) for name in names}

    def _worst(self, figures: list[Figures]) -> Worst:
        judged = [one for one in figures if self.bars.random or one.data != "random"] or figures
        meanings = [one.meaning for one in judged if one.meaning is not None]
        return Worst(
            max(one.max_difference for one in figures),
            max(one.mean_difference for one in figures),
            min(meanings, default=None),
        )


@dataclass(frozen=True, slots=True)
class Worst:
    """The largest differences of an output, and the least of its meaning where it was judged."""

    max_difference: float
    mean_difference: float
    meaning: float | None


def document(made: ExportedFile) -> dict[str, Any]:
    """The report as it is written."""
    return {
        "schema": SCHEMA,
        "file": made.path.name,
        "kind": made.kind,
        "size": made.size,
        "sha256": made.sha256,
        "source": made.source,
        "source_sha256": made.source_sha256,
        "opset": made.opset,
        "exporter": made.exporter,
        "notes": list(made.notes),
        "steps": list(made.steps),
        "metadata": made.facts,
        "versions": {name: _version(name) for name in DISTRIBUTIONS},
        "task": made.task,
        "tolerance": made.tolerance,
        "axes": made.axes.document(),
        "bars": bars(made),
        "proved_on": made.proved_on,
        "parity": [asdict(figures) for figures in made.figures],
        "detection": made.detection and asdict(made.detection),
        "latency_ms": made.latency,
        "accuracy": made.accuracy,
    }


def bars(made: ExportedFile) -> dict[str, float | None]:
    """What the file had to reach, as far as it was judged by it."""
    own = made.bars
    relative = own.values if own.values is not None and own.values < float("inf") else None
    return {
        "relative_difference": relative,
        "cosine": own.cosine if made.task == "embedding" else None,
        "equal_classes": own.classes if made.task == "classification" else None,
        "iou": own.iou if made.detection else None,
        "landmarks_px": own.landmarks if made.detection else None,
    }


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:  # such as onnxruntime where onnxruntime-gpu is installed
        return None
