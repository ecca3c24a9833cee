"""Run a recipe: convert, prove, and only then publish its files, all of them or none."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import facecli
from facecli.errors import ExportError, OutputError
from facecli.export.weights import sha256

if TYPE_CHECKING:
    from facecli.contract import ExportPart, ExportRecipe
    from facecli.export.parity import Figures

REPORT_SCHEMA = "facecli.export-report/1"
MODULES = ("torch", "onnx", "onnxscript")
DISTRIBUTIONS = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One published file: where it lies, what it is, and how well it agrees with its source.

    report: the JSON beside it. exporter: "torch.export", or "torchscript: ..." with the reason.
    """

    path: Path
    report: Path
    size: int
    sha256: str
    source: str
    source_sha256: str
    exporter: str
    tolerance: float
    figures: tuple[Figures, ...]

    @property
    def worst(self) -> dict[str, float]:
        """Output name -> its largest difference over all cases."""
        found: dict[str, float] = {}
        for one in self.figures:
            found[one.output] = max(one.max_difference, found.get(one.output, 0.0))
        return found


@dataclass(frozen=True, slots=True)
class ExportResult:
    """All files of a recipe, in the recipe's order; origin: where they are from and their proof, for the store."""

    recipe: str
    model: str
    files: tuple[ExportedFile, ...]
    origin: dict[str, Any]


def export_recipe(recipe: ExportRecipe, weights: Path | None, output_dir: Path) -> ExportResult:
    """Export a recipe's networks into a folder, a report beside each. Raises ExportError and publishes no file.

    weights: what the recipe's `build` takes, None for its default.
    """
    _require_extra()
    parts = recipe.build(weights)
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".facecli-export-", dir=output_dir) as folder:
            files = tuple(_export(recipe, part, Path(folder)) for part in parts)
            published = tuple(_publish(file, output_dir) for file in files)
    except OSError as error:
        raise OutputError(f"can not write to {output_dir}: {error.strerror}") from error
    origin = {
        "recipe": recipe.name,
        "facecli": facecli.__version__,
        "licence": recipe.licence,
        "reports": [json.loads(file.report.read_text("utf-8")) for file in published],
    }
    return ExportResult(recipe.name, recipe.model, published, origin)


def _require_extra() -> None:
    missing = [name for name in MODULES if find_spec(name) is None]
    if missing:
        raise ExportError(f"an export needs {', '.join(missing)}", hint='pip install "facecli[export]"')


def _export(recipe: ExportRecipe, part: ExportPart, folder: Path) -> ExportedFile:
    from facecli.export.clean import clean, describe
    from facecli.export.convert import convert
    from facecli.export.parity import prove

    source_sha256 = sha256(part.source)
    model, exporter = convert(part, recipe.opset)
    clean(model, part)
    facts = {
        "model": recipe.model,
        "recipe": recipe.name,
        "source": part.source.name,
        "source_sha256": source_sha256,
        "licence": recipe.licence,
        "preprocessing_version": str(recipe.preprocessing_version),
        "version": facecli.__version__,
    }
    describe(model, facts)
    path = folder / part.file
    path.write_bytes(model.SerializeToString(deterministic=True))
    figures = prove(part, path)
    size, digest, report = path.stat().st_size, sha256(path), path.with_suffix(".report.json")
    made = ExportedFile(path, report, size, digest, part.source.name, source_sha256, exporter, part.tolerance, figures)
    report.write_text(json.dumps(_report(made, facts, recipe.opset, part.notes), indent=2) + "\n", "utf-8")
    return made


def _publish(made: ExportedFile, folder: Path) -> ExportedFile:
    from dataclasses import replace

    # The report first: a model without its proof must not be found.
    report = made.report.replace(folder / made.report.name)
    return replace(made, report=report, path=made.path.replace(folder / made.path.name))


def _report(made: ExportedFile, facts: dict[str, str], opset: int, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "schema": REPORT_SCHEMA,
        "file": made.path.name,
        "size": made.size,
        "sha256": made.sha256,
        "opset": opset,
        "exporter": made.exporter,
        "notes": list(notes),
        "metadata": facts,
        "versions": {name: _version(name) for name in DISTRIBUTIONS},
        "tolerance": made.tolerance,
        "parity": [asdict(figures) for figures in made.figures],
    }


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:  # such as onnxruntime where onnxruntime-gpu is installed
        return None
