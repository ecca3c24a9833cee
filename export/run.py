"""Run a recipe: convert, prove, and only then publish its files, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import ExportError, OutputError
from facecli.export import report
from facecli.export.part import _Told
from facecli.export.proof.bars import BARS
from facecli.export.proof.latency import measure
from facecli.export.proof.samples import PORTRAITS, Samples
from facecli.export.publish import publish, staging
from facecli.export.report import ExportedFile
from facecli.export.target import Target
from facecli.export.weights.source import sha256
from facecli.version import __version__

if TYPE_CHECKING:
    from facecli.contract import DetectorPlugin, ExportPart, ExportRecipe, ModelSpec
    from facecli.export.proof.cases import Meaning


MODULES = ("torch", "onnx", "onnxscript")
Judge = Callable[[Mapping[str, Path]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """All files of a recipe, in the recipe's order; origin: where they are from and their proof, for the store."""

    recipe: str
    model: str
    spec: ModelSpec | None
    files: tuple[ExportedFile, ...]
    origin: dict[str, Any]


def export_recipe(
    recipe: ExportRecipe,
    weights: Path | None,
    output_dir: Path,
    target: Target | None = None,
    *,
    detector: DetectorPlugin | None = None,
    judge: Judge | None = None,
    samples: Samples = PORTRAITS,
) -> ExportResult:
    """Export a recipe's networks into a folder, a report beside each. Raises ExportError and publishes no file.

    weights: what the recipe's `build` takes, None for its default. detector: the plugin that runs a detector's files,
    for a proof by its boxes. judge: measures accuracy, given the path of the fp32 file and of the target's.
    samples: what real crops and pictures the proof is on.
    """
    _require_extra()
    target = target or Target()
    spec = recipe_spec(recipe)
    parts = recipe.build(weights)
    target.check(parts)
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        with staging(output_dir) as folder:
            files = _Work(recipe, spec, target, folder, samples).run(parts, detector, judge)
            # Reports first: a model without its proof must not be found.
            made = [file.report for file in files] + [file.path for file in files]
            publish([(path, output_dir / path.name) for path in made])
    except OSError as error:
        raise OutputError(f"can not write to {output_dir}: {error.strerror}") from error
    published = tuple(
        replace(file, report=output_dir / file.report.name, path=output_dir / file.path.name) for file in files
    )
    origin = {
        "recipe": recipe.name,
        "facecli": __version__,
        "licence": recipe.licence,
        "reports": [json.loads(file.report.read_text("utf-8")) for file in published],
    }
    return ExportResult(recipe.name, recipe.model, spec, published, origin)


def recipe_spec(recipe: ExportRecipe) -> ModelSpec | None:
    """What is known about a recipe's model: what the recipe says, else its catalogue entry, else None."""
    from facecli.models import catalogue
    from facecli.models.entries import shipped

    if recipe.spec is not None:
        return recipe.spec
    if recipe.model not in shipped.model_ids():
        return None
    return catalogue.load(recipe.model)


def _require_extra() -> None:
    missing = [name for name in MODULES if find_spec(name) is None]
    if missing:
        raise ExportError(f"an export needs {', '.join(missing)}", hint='pip install "facecli[export]"')


@dataclass(frozen=True, slots=True)
class _Work:
    """One run of a recipe in a folder of its own."""

    recipe: ExportRecipe
    spec: ModelSpec | None
    target: Target
    folder: Path
    samples: Samples

    def run(
        self, parts: tuple[ExportPart, ...], detector: DetectorPlugin | None, judge: Judge | None
    ) -> list[ExportedFile]:
        """Every file that is to be published, proved, with its report."""
        from facecli.export.proof.detection import prove_detection

        self._check_samples(parts, detector)
        groups = [self._part(part, detector) for part in parts]
        paths = {part.file: {file.kind: file.path for file in group} for part, group in zip(parts, groups, strict=True)}
        kept = [[file for file in group if file.kind in self.target.kinds] for group in groups]
        if detector is not None:
            for kind in dict.fromkeys(file.kind for group in groups for file in group):
                own = {part: kinds[kind] for part, kinds in paths.items()}
                bars = BARS["fp32" if kind == "fp32" else self.target.precision]
                found = prove_detection(detector, self.recipe.model, parts, own, bars, self.samples)
                kept = [[replace(f, detection=found) if f.kind == kind else f for f in group] for group in kept]
        files = [file for group in kept for file in group]
        if judge is not None:
            (own,) = paths.values()
            figures = judge({kind: path for kind, path in own.items() if kind != "ort"})
            files = [replace(file, accuracy=figures) for file in files]
        for file in files:
            file.report.write_text(json.dumps(report.document(file), indent=2, allow_nan=False) + "\n", "utf-8")
        return files

    def _check_samples(self, parts: tuple[ExportPart, ...], detector: DetectorPlugin | None) -> None:
        from facecli.export.proof.cases import takes_crops

        if self.samples is PORTRAITS or detector is not None:
            return
        if not any(takes_crops(part, self.spec) for part in parts):
            message = f"nothing states how a face becomes the input of {self.recipe.name}: no pictures can prove it"
            raise ExportError(message, hint="leave --samples out, or describe its crop and preprocessing")

    def _part(self, part: ExportPart, detector: DetectorPlugin | None) -> list[ExportedFile]:
        """A part as fp32, and as whatever else is asked for; each proved against the source."""
        from facecli.export.graph.clean import clean, describe
        from facecli.export.graph.convert import convert
        from facecli.export.proof.cases import cases, meaning
        from facecli.export.proof.detection import inputs_of

        known = meaning(part, self.spec)
        tried = cases(part, known, self.samples)
        model, exporter = convert(part, self.recipe.opset)
        model, steps = self.target.simplified(model)
        clean(model, part)
        facts = self._facts(self.spec, part, known)
        describe(model, facts)
        path = self.folder / part.file
        path.write_bytes(model.SerializeToString(deterministic=True))
        told = _Told(part, known, tried, exporter, facts, self.recipe.opset)
        made = [told.proved("fp32", path, steps, BARS["fp32"])]
        if self.target.precision != "fp32":
            spec = None if self.spec is None else self.target.derived(self.spec)
            facts = self._facts(spec, part, known) | {"precision": self.target.precision}
            told = replace(told, facts=facts)
        look = None if detector is None else partial(inputs_of, detector, self.recipe.model, part.file)
        for kind, own, more in self.target.others(path, part, known, facts, look):
            made.append(told.proved(kind, own, (*steps, *more), BARS[self.target.precision]))
        if self.target.plain:
            return made
        latency = measure({file.kind: file.path for file in made}, part.input_names, tried)
        return [replace(file, latency={k: latency[k] for k in dict.fromkeys(("fp32", file.kind))}) for file in made]

    def _facts(self, spec: ModelSpec | None, part: ExportPart, known: Meaning) -> dict[str, str]:
        from facecli.models.entries import metadata

        told = {} if spec is None else metadata.of_spec(spec, crop=known.crop, preprocessing=known.preprocessing)
        if spec is not None and spec.kind == "detector" and "/" in spec.id:
            told["family"] = spec.id  # who reads its outputs: so it can be handed on alone
        return told | {
            "model": self.recipe.model if spec is None else spec.id,
            "recipe": self.recipe.name,
            "source": part.source.name,
            "source_sha256": sha256(part.source),
            "licence": self.recipe.licence,
            "preprocessing_version": str(
                self.recipe.preprocessing_version if known.preprocessing is None else known.preprocessing.version
            ),
            "version": __version__,
        }
