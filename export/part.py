"""TODO: facecli.export.part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.export.proof.bars import Bars
from facecli.export.report import ExportedFile
from facecli.export.weights.source import sha256

if TYPE_CHECKING:
    from facecli.contract import ExportPart
    from facecli.export.proof.cases import Case, Meaning


@dataclass(frozen=True, slots=True)
class _Told:
    """What all files of one part have in common."""

    part: ExportPart
    known: Meaning
    cases: Sequence[Case]
    exporter: str
    facts: dict[str, str]
    opset: int

    def proved(self, kind: str, path: Path, steps: tuple[str, ...], bars: Bars) -> ExportedFile:
        """A file, checked and compared with its source. Raises ExportError."""
        from facecli.export.proof import axes
        from facecli.export.proof.parity import check, prove

        if path.suffix == ".onnx":
            check(path)
        figures = prove(self.part, path, self.cases, self.known.task, bars)
        said = axes.declared(path)
        axes.check(self.part, path.name, said, figures)
        return ExportedFile(
            kind=kind,
            path=path,
            report=path.with_name(f"{path.name.removesuffix('.onnx')}.report.json"),
            size=path.stat().st_size,
            sha256=sha256(path),
            source=self.part.source.name,
            source_sha256=self.facts["source_sha256"],
            exporter=self.exporter,
            notes=self.part.notes,
            steps=steps,
            opset=self.opset,
            facts=self.facts,
            task=self.known.task,
            tolerance=self.part.tolerance,
            bars=bars,
            figures=figures,
            axes=said,
        )
