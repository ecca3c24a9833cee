"""TODO: facecli.commands.export.edge_files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.commands.export.edge import Edge

if TYPE_CHECKING:
    from facecli.export.bundle.write import Bundle
    from facecli.export.edge.make import EdgeFile
    from facecli.export.run import ExportResult


@dataclass(frozen=True, slots=True)
class Done:
    """What was made for edge programs."""

    files: tuple[EdgeFile, ...] = ()
    bundle: Bundle | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The keys `edge` and `bundle` of the output."""
        told: dict[str, Any] = {"edge": [_described(file) for file in self.files], "bundle": None}
        if self.bundle is not None:
            size = sum(self.bundle.files.values())
            about = {"path": str(self.bundle.folder), "files": len(self.bundle.files), "size": size}
            more = {"web_runtime": self.bundle.web, "proof": self.bundle.proof}
            told["bundle"] = about | dict(self.chosen) | more
        return told

    def rows(self) -> list[dict[str, Any]]:
        """The same for a table."""
        rows: list[dict[str, Any]] = [
            {"file": file.path.name, "bytes": file.size, "sha256": file.sha256[:12], "output": ", ".join(file.outputs)}
            for file in self.files
        ]
        if self.bundle is not None:
            size = sum(self.bundle.files.values())
            rows.append({"file": str(self.bundle.folder), "bytes": size, "output": _names(self.chosen)})
        return rows


def needs_no_recipe(edge: Edge, recipe: str | None, module: Mapping[str, Any]) -> bool:
    """Whether the work is on installed models: nothing is named that makes one, or RECIPE is the name of one."""
    from facecli.cli import context
    from facecli.commands.export import edge_models

    if not edge.wanted or module["module"] is not None:
        return False
    return recipe is None or (recipe not in context.registry().names("recipes") and edge_models.is_model(recipe))


def after(edge: Edge, result: ExportResult, model: str, output: Path | None) -> Done:
    """What is asked for of a recipe that was just run. model: what its files are installed as."""
    from facecli.commands.export import edge_models

    files: tuple[EdgeFile, ...] = ()
    if edge.embed and output is not None:
        networks = [file.path for file in result.files if file.kind != "ort"]
        mobile = any(file.kind == "ort" for file in result.files)
        files = tuple(edge_models.embed(edge, model, output, network, mobile=mobile) for network in networks)
    return Done(files, *_bundle(edge, model))


def of_installed(edge: Edge, model: str | None, output: Path | None) -> Done:
    """What is asked for of a model that is installed, or of the default ones."""
    from facecli.commands.export import edge_models
    from facecli.errors import UsageError

    files: tuple[EdgeFile, ...] = ()
    if edge.embed and output is not None:
        given = (edge.detector, edge.recognizer, *edge.attributes)
        names = [name for name in given if name] if model is None else [model]
        if not names:
            hint = "name a recipe, or an installed model, such as --recognizer dlib-resnet"
            raise UsageError("no model to embed preprocessing in", hint=hint)
        files = tuple(edge_models.embed(edge, name, output) for name in names)
    return Done(files, *_bundle(edge, model))


def _bundle(edge: Edge, model: str | None) -> tuple[Bundle | None, Mapping[str, Any]]:
    from facecli.commands.export import edge_models

    return (None, {}) if edge.bundle is None else edge_models.bundle(edge, edge.bundle, model)


def _names(chosen: Mapping[str, Any]) -> str:
    return ", ".join([chosen["detector"], chosen["recognizer"], *chosen["attributes"]])


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
