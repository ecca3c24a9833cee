"""Export one network of a recipe: the ONNX file, its smaller variants, and the proof of each against the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.export.proof.tolerances import TOLERANCES, Tolerances
from facecli.export.report import ExportedFile
from facecli.export.variants import Variant, VariantMaker
from facecli.export.weights.source import sha256
from facecli.version import __version__

if TYPE_CHECKING:
    from facecli.contract import ExportPart, ModelSpec
    from facecli.export.proof.cases import Case, InputMeaning
    from facecli.export.request import ExportRequest


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """Everything about one network that its fp32, reduced and .ort files share.

    cases: the inputs of the proof. exporter: "torch.export", "torchscript: ..." with the reason, or "onnx".
    metadata: the facts inside the files, by name without the prefix "facecli.".
    """

    part: ExportPart
    meaning: InputMeaning
    cases: Sequence[Case]
    exporter: str
    metadata: dict[str, str]
    opset: int

    def proved(self, file: Variant, tolerances: Tolerances) -> ExportedFile:
        """Compare a file with the network's source and describe it. Raises ExportError if they disagree."""
        from facecli.export.proof import axes
        from facecli.export.proof.parity import check, prove

        path = file.path
        if path.suffix == ".onnx":
            check(path)
        figures = prove(self.part, path, self.cases, self.meaning.task, tolerances)
        declared = axes.declared_axes(path)
        axes.check(self.part, path.name, declared, figures)
        return ExportedFile(
            kind=file.kind,
            path=path,
            report=path.with_name(f"{path.name.removesuffix('.onnx')}.report.json"),
            size=path.stat().st_size,
            sha256=sha256(path),
            source=self.part.source.name,
            source_sha256=self.metadata["source_sha256"],
            exporter=self.exporter,
            notes=self.part.notes,
            steps=file.steps,
            opset=self.opset,
            metadata=self.metadata,
            task=self.meaning.task,
            tolerance=self.part.tolerance,
            tolerances=tolerances,
            figures=figures,
            axes=declared,
        )


def export_part(part: ExportPart, request: ExportRequest, folder: Path) -> list[ExportedFile]:
    """Export one network into a folder: first as the recipe makes it, then as whatever else the target asks for.

    Each file is proved against the source network; the first is made, proved and returned even if only smaller ones
    will be published. Raises ExportError.
    """
    from facecli.export.graph.clean import clean, describe
    from facecli.export.graph.convert import convert
    from facecli.export.proof.cases import cases, input_meaning
    from facecli.export.proof.detection import recorded_inputs
    from facecli.export.proof.latency import measure

    recipe, target, spec = request.recipe, request.target, request.spec
    meaning = input_meaning(part, spec)
    inputs = cases(part, meaning, request.samples)
    model, exporter = convert(part, recipe.opset)
    steps: tuple[str, ...] = ()
    if target.optimize:
        from facecli.export.graph.optimize import STEP, simplify

        model, steps = simplify(model), (STEP,)
    clean(model, part)
    metadata = _metadata(part, request, spec, meaning)
    describe(model, metadata)
    path = folder / part.file
    path.write_bytes(model.SerializeToString(deterministic=True))
    facts = NetworkFacts(part, meaning, inputs, exporter, metadata, recipe.opset)
    files = [facts.proved(Variant(part.precision, path, steps), TOLERANCES[part.precision])]

    if target.precision != "fp32":
        reduced = None if spec is None else target.derived(spec)
        facts = replace(facts, metadata=_metadata(part, request, reduced, meaning) | {"precision": target.precision})
    detector = request.detector
    feeds = None if detector is None else partial(recorded_inputs, detector, recipe.model, part.file)
    maker = VariantMaker(target, part, meaning, feeds)
    files += [
        facts.proved(replace(variant, steps=(*steps, *variant.steps)), TOLERANCES[target.reached(part)])
        for variant in maker.variants(path, facts.metadata)
    ]
    if target.plain:
        return files
    latency = measure({file.kind: file.path for file in files}, part.input_names, inputs)
    return [
        replace(file, latency={kind: latency[kind] for kind in dict.fromkeys((part.precision, file.kind))})
        for file in files
    ]


def _metadata(
    part: ExportPart, request: ExportRequest, spec: ModelSpec | None, meaning: InputMeaning
) -> dict[str, str]:
    """Return the metadata of a file: its model's description, its recipe and its source."""
    from facecli.models.entries import metadata

    recipe = request.recipe
    described = {} if spec is None else metadata.of_spec(spec, crop=meaning.crop, preprocessing=meaning.preprocessing)
    if spec is not None and spec.kind == "detector" and "/" in spec.id:
        # The built-in detector that reads these outputs, so that the file can be handed on alone.
        described["family"] = spec.id
    version = recipe.preprocessing_version if meaning.preprocessing is None else meaning.preprocessing.version
    if part.precision != "fp32":
        described["precision"] = part.precision
    return described | {
        "model": recipe.model if spec is None else spec.id,
        "recipe": recipe.name,
        "source": part.source.name,
        "source_sha256": sha256(part.source),
        "licence": recipe.licence,
        "preprocessing_version": str(version),
        "version": __version__,
    }
