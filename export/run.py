"""Run a recipe: export its networks, prove every file, and only then publish all of them, or none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import ExportError
from facecli.export import report
from facecli.export.part import export_part
from facecli.export.proof.samples import PORTRAITS
from facecli.export.proof.tolerances import TOLERANCES
from facecli.export.publish import output_staging, publish
from facecli.export.report import ExportedFile
from facecli.version import __version__

if TYPE_CHECKING:
    from facecli.contract import ExportPart, ModelSpec
    from facecli.export.proof.detection import DetectionProof
    from facecli.export.request import ExportRequest


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The published files of a recipe.

    recipe, model: the names of the recipe and of the model that it makes. spec: the model's description, if there is
    one. files: in the order of the recipe's networks. origin: for the model store, what made them and their reports.
    """

    recipe: str
    model: str
    spec: ModelSpec | None
    files: tuple[ExportedFile, ...]
    origin: dict[str, Any]


def export_recipe(request: ExportRequest, folder: Path) -> ExportResult:
    """Export a recipe's networks into a folder, with a report beside each file.

    Raises ExportError, and publishes no file, if one network fails or disagrees with its source; OutputError if the
    folder can not be written to.
    """
    recipe = request.recipe
    _require(recipe.needs)
    parts = recipe.build(request.weights)
    request.target.check(parts)
    with output_staging(folder) as staged:
        files = RecipeRun(request, parts, staged).files()
        # Reports first: a model without its proof must not be found.
        publish([*(file.report for file in files), *(file.path for file in files)], folder)
    published = tuple(replace(file, report=folder / file.report.name, path=folder / file.path.name) for file in files)
    origin = {
        "recipe": recipe.name,
        "facecli": __version__,
        "licence": recipe.licence,
        "reports": [json.loads(file.report.read_text("utf-8")) for file in published],
    }
    return ExportResult(recipe.name, recipe.model, request.spec, published, origin)


def _require(packages: Sequence[str]) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ExportError(f"an export needs {', '.join(missing)}", hint='pip install "facecli[export]"')


@dataclass(frozen=True, slots=True)
class RecipeRun:
    """One run of a recipe: its networks are exported, proved and reported in `folder`, before they are published."""

    request: ExportRequest
    parts: tuple[ExportPart, ...]
    folder: Path

    def files(self) -> list[ExportedFile]:
        """Make every file that the target asks for, prove it, and write its report. Raises ExportError."""
        self._check_samples()
        exported = {part.file: export_part(part, self.request, self.folder) for part in self.parts}
        detections, accuracy = self._detections(exported), self._accuracy(exported)
        files = [
            replace(file, detection=detections.get(file.kind), accuracy=accuracy)
            for part, variants in zip(self.parts, exported.values(), strict=True)
            for file in variants
            if file.kind in self.request.target.kinds(part)
        ]
        for file in files:
            file.report.write_text(json.dumps(report.document(file), indent=2, allow_nan=False) + "\n", "utf-8")
        return files

    def _check_samples(self) -> None:
        """Raise ExportError if the user's pictures could prove nothing: no network takes crops, nor finds faces."""
        from facecli.export.proof.cases import takes_crops

        request = self.request
        if request.samples is PORTRAITS or request.detector is not None:
            return
        if not any(takes_crops(part, request.spec) for part in self.parts):
            name = request.recipe.name
            raise ExportError(
                f"nothing states how a face becomes the input of {name}: no pictures can prove it",
                hint="leave {samples} out, or describe its crop and preprocessing",
                about="samples",
            )

    def _detections(self, exported: Mapping[str, Sequence[ExportedFile]]) -> dict[str, DetectionProof]:
        """Return file kind -> the proof by detected faces; empty without a detector. exported: by the part's file."""
        from facecli.export.proof.detection import prove_detection
        from facecli.export.proof.peer import prove_peer

        detector, target = self.request.detector, self.request.target
        if detector is None:
            return {}
        kinds = dict.fromkeys(file.kind for files in exported.values() for file in files)
        proofs = {}
        for kind in kinds:
            paths = [next(file.path for file in exported[part.file] if file.kind == kind) for part in self.parts]
            networks = list(zip(self.parts, paths, strict=True))
            tolerances = TOLERANCES[target.reached(self.parts[0]) if kind != "fp32" else "fp32"]
            model = self.request.recipe.model
            proofs[kind] = prove_detection(detector, model, networks, tolerances, self.request.samples)
            if (peer := self.request.recipe.peer) is not None and kind == "fp32":
                (network,) = networks
                agreed = prove_peer(peer, detector, model, network, PORTRAITS.pictures())
                proofs[kind] = replace(proofs[kind], peer=agreed)
        return proofs

    def _accuracy(self, exported: Mapping[str, Sequence[ExportedFile]]) -> dict[str, Any] | None:
        """Return the judge's figures of the only network, all kinds but .ort; None without a judge."""
        if self.request.judge is None:
            return None
        (files,) = exported.values()
        return self.request.judge({file.kind: file.path for file in files if file.kind != "ort"})
