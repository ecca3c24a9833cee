"""The files for edge programs: which ones to make, after a recipe or of installed models, and their document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.commands.export.edge import EdgeJob, EdgeOptions

if TYPE_CHECKING:
    from facecli.cli.settings import PluginSettings
    from facecli.export.bundle.write import Bundle
    from facecli.export.edge.make import EdgeFile
    from facecli.export.proof.samples import Samples
    from facecli.export.run import ExportResult


@dataclass(frozen=True, slots=True)
class EdgeResult:
    """The edge files and the bundle that were made. models: ids of the bundle's models, by kind."""

    files: tuple[EdgeFile, ...] = ()
    bundle: Bundle | None = None
    models: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the keys `edge` and `bundle` of the output."""
        document: dict[str, Any] = {"edge": [_described(file) for file in self.files], "bundle": None}
        if self.bundle is not None:
            size = sum(self.bundle.files.values())
            about = {"path": str(self.bundle.folder), "files": len(self.bundle.files), "size": size}
            more = {"web_runtime": self.bundle.web, "proof": self.bundle.proof}
            document["bundle"] = about | dict(self.models) | more
        return document

    def rows(self) -> list[dict[str, Any]]:
        """Return a table row per file, and one for the bundle."""
        rows: list[dict[str, Any]] = [
            {"file": file.path.name, "bytes": file.size, "sha256": file.sha256[:12], "output": ", ".join(file.outputs)}
            for file in self.files
        ]
        if self.bundle is not None:
            size = sum(self.bundle.files.values())
            rows.append({"file": str(self.bundle.folder), "bytes": size, "output": _names(self.models)})
        return rows


def job(edge: EdgeOptions, plugins: PluginSettings, samples: Samples | None) -> EdgeJob:
    """Return the job that the options describe. samples: the user's pictures for the proof, None for facecli's own."""
    from facecli.cli import context
    from facecli.cli.values import parse_parameters

    return EdgeJob(
        embed=edge.embed_preprocessing,
        bundle=edge.bundle,
        web_runtime=edge.web_runtime,
        detector=None if context.defaulted("detector") else plugins.detector,
        recognizer=plugins.recognizer,
        attributes=edge.attributes,
        parameters=parse_parameters(plugins.parameter),
        samples=samples,
    )


def needs_no_recipe(job: EdgeJob, recipe: str | None, module: str | None) -> bool:
    """Return whether the work is on installed models: no recipe and no --module, or RECIPE is a model's name."""
    from facecli.cli import context
    from facecli.commands.export import edge_models

    if job.empty or module is not None:
        return False
    return recipe is None or (recipe not in context.registry().names("recipes") and edge_models.is_model(recipe))


def after(job: EdgeJob, result: ExportResult, model: str, output: Path | None) -> EdgeResult:
    """Make the files of a job for a recipe that has just run. model: the id that its files are installed under."""
    from facecli.commands.export import edge_models

    files: tuple[EdgeFile, ...] = ()
    if job.embed and output is not None:
        networks = [file.path for file in result.files if file.kind != "ort"]
        mobile = any(file.kind == "ort" for file in result.files)
        files = tuple(edge_models.embed(job, model, output, network, mobile=mobile) for network in networks)
    return EdgeResult(files, *_bundle(job, model))


def of_installed(job: EdgeJob, model: str | None, output: Path | None) -> EdgeResult:
    """Make the files of a job for an installed model, or for the default ones."""
    from facecli.commands.export import edge_models
    from facecli.errors import UsageError

    files: tuple[EdgeFile, ...] = ()
    if job.embed and output is not None:
        chosen = (job.detector, job.recognizer, *job.attributes)
        names = [name for name in chosen if name] if model is None else [model]
        if not names:
            hint = "name a recipe, or an installed model, such as --recognizer sface"
            raise UsageError("no model to embed preprocessing in", hint=hint)
        files = tuple(edge_models.embed(job, name, output) for name in names)
    return EdgeResult(files, *_bundle(job, model))


def _bundle(job: EdgeJob, model: str | None) -> tuple[Bundle | None, Mapping[str, Any]]:
    from facecli.commands.export import edge_models

    return (None, {}) if job.bundle is None else edge_models.bundle(job, job.bundle, model)


def _names(models: Mapping[str, Any]) -> str:
    return ", ".join([models["detector"], models["recognizer"], *models["attributes"]])


def _described(file: EdgeFile) -> dict[str, Any]:
    return {
        "model": file.model,
        "file": file.path.name,
        "path": str(file.path),
        "report": str(file.report),
        "mobile": file.mobile and str(file.mobile),
        "size": file.size,
        "sha256": file.sha256,
        "input": file.input,
        "outputs": list(file.outputs),
        "proof": file.proof,
    }
