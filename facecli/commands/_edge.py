"""What `facecli export` does for edge programs: preprocessing in the graph, and bundles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.contract import ExportRecipe
    from facecli.export.bundle.write import Bundle
    from facecli.export.edge.make import EdgeFile
    from facecli.export.faces import Samples
    from facecli.export.run import ExportResult

edge_options = options.chain(
    click.option(
        "--embed-preprocessing",
        is_flag=True,
        help="Also write NAME.edge.onnx: uint8 RGB (height, width, 3) in; detectors decode and suppress inside.",
    ),
    click.option(
        "--bundle",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Write a folder with all that an edge program needs; without RECIPE, of installed models.",
    ),
    click.option("--recognizer", help="Recognizer of the bundle.  [default: RECIPE's, else dlib-resnet]"),
    click.option(
        "--attributes",
        callback=options.split_commas,
        metavar="NAME,...",
        help="Attribute models of the bundle, such as emotion.",
    ),
    click.option(
        "--web-runtime",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="DIR",
        help="Copy ONNX Runtime for browsers into the bundle, from this node_modules folder.",
    ),
)


@dataclass(frozen=True, slots=True)
class Edge:
    """What is asked for. detector: None where the user named none. samples: the user's, for the proof."""

    embed: bool
    bundle: Path | None
    recognizer: str | None
    attributes: tuple[str, ...]
    web_runtime: Path | None
    detector: str | None = None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    samples: Samples | None = None

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return self.embed or self.bundle is not None

    def checked(
        self, recipe: ExportRecipe | None, output: Path | None, settings: options.Settings, *, register: bool = True
    ) -> Edge:
        """Refuse, before any work, what would fail or leave nothing behind; complete it with the shared options."""
        from facecli.commands._work import parse_parameters
        from facecli.errors import UsageError

        if self.bundle is None and (self.web_runtime or (recipe is not None and (self.recognizer or self.attributes))):
            name = "web-runtime" if self.web_runtime else "recognizer" if self.recognizer else "attributes"
            raise UsageError(f"--{name} is for a bundle", hint="add --bundle DIR")
        if self.bundle is not None:
            from facecli.export.bundle.write import check_target

            check_target(self.bundle)
            if recipe is not None and not register:
                raise UsageError("--bundle and --no-register exclude each other", hint="a bundle has installed models")
        elif self.embed and output is None:
            raise UsageError("--embed-preprocessing needs a place to write to", hint="add --output DIR")
        if self.embed and output is not None and recipe is not None:
            from facecli.commands import _edge_models

            _edge_models.refuse_cascade(recipe)
        named = click.get_current_context().get_parameter_source("detector") is not ParameterSource.DEFAULT
        return replace(
            self, detector=settings.detector if named else None, parameters=parse_parameters(settings.parameter)
        )


def taken(arguments: dict[str, Any]) -> Edge:
    """These options out of a command's arguments."""
    embed = arguments.pop("embed_preprocessing")
    return Edge(embed, **{name: arguments.pop(name) for name in ("bundle", "recognizer", "attributes", "web_runtime")})


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
    from facecli.commands import _edge_models, _work

    if not edge.wanted or module["module"] is not None:
        return False
    return recipe is None or (recipe not in _work.registry().names("recipes") and _edge_models.is_model(recipe))


def after(edge: Edge, result: ExportResult, model: str, output: Path | None) -> Done:
    """What is asked for of a recipe that was just run. model: what its files are installed as."""
    from facecli.commands import _edge_models

    files: tuple[EdgeFile, ...] = ()
    if edge.embed and output is not None:
        networks = [file.path for file in result.files if file.kind != "ort"]
        mobile = any(file.kind == "ort" for file in result.files)
        files = tuple(_edge_models.embed(edge, model, output, network, mobile=mobile) for network in networks)
    return Done(files, *_bundle(edge, model))


def of_installed(edge: Edge, model: str | None, output: Path | None) -> Done:
    """What is asked for of a model that is installed, or of the default ones."""
    from facecli.commands import _edge_models
    from facecli.errors import UsageError

    files: tuple[EdgeFile, ...] = ()
    if edge.embed and output is not None:
        given = (edge.detector, edge.recognizer, *edge.attributes)
        names = [name for name in given if name] if model is None else [model]
        if not names:
            hint = "name a recipe, or an installed model, such as --recognizer dlib-resnet"
            raise UsageError("no model to embed preprocessing in", hint=hint)
        files = tuple(_edge_models.embed(edge, name, output) for name in names)
    return Done(files, *_bundle(edge, model))


def _bundle(edge: Edge, model: str | None) -> tuple[Bundle | None, Mapping[str, Any]]:
    from facecli.commands import _edge_models

    return (None, {}) if edge.bundle is None else _edge_models.bundle(edge, edge.bundle, model)


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
