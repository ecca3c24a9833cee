"""What `facecli export` does for edge programs: preprocessing in the graph, and bundles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.export.bundle.write import Bundle
    from facecli.export.edge.make import EdgeFile
    from facecli.export.run import ExportResult

F = TypeVar("F", bound=Callable[..., Any])

DETECTOR, RECOGNIZER = "mtcnn", "dlib-resnet"  # of a bundle, when nothing else is said

OPTIONS = (
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
    click.option("--detector", help=f"Detector of the bundle.  [default: RECIPE's, else {DETECTOR}]"),
    click.option("--recognizer", help=f"Recognizer of the bundle.  [default: RECIPE's, else {RECOGNIZER}]"),
    click.option(
        "--attributes",
        callback=options.split_commas,
        metavar="NAME,...",
        help="Attribute models of the bundle, such as emotion.",
    ),
    click.option(
        "--parameter", "-p", multiple=True, metavar="PLUGIN.NAME=VALUE", help="Set a parameter of one of these plugins."
    ),
    click.option(
        "--web-runtime",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="DIR",
        help="Copy ONNX Runtime for browsers into the bundle, from this node_modules folder.",
    ),
)


def edge_options(command: F) -> F:
    """Give a command these options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


NAMES = ("embed_preprocessing", "bundle", "detector", "recognizer", "attributes", "parameter", "web_runtime")
BUNDLE_ONLY = ("detector", "recognizer", "attributes", "web_runtime")


@dataclass(frozen=True, slots=True)
class Edge:
    """What the options asked for."""

    embed: bool
    bundle: Path | None
    detector: str | None
    recognizer: str | None
    attributes: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    web_runtime: Path | None

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return self.embed or self.bundle is not None

    @classmethod
    def of(cls, *, embed_preprocessing: bool, bundle: Path | None, parameter: tuple[str, ...], **own: Any) -> Edge:
        """From the options' values. Raises UsageError for a parameter that can not be read."""
        from facecli.commands._work import parse_parameters

        return cls(embed_preprocessing, bundle, parameters=parse_parameters(parameter), **own)

    def check(self, *, recipe: str | None, output: Path | None, register: bool) -> None:
        """Refuse, before any work, what would fail or leave nothing behind."""
        from facecli.errors import UsageError

        installed = self.embed and recipe is None  # these options then name the models
        for name in () if self.bundle else ("web_runtime",) if installed else BUNDLE_ONLY:
            if getattr(self, name):
                raise UsageError(f"--{name.replace('_', '-')} is for a bundle", hint="add --bundle DIR")
        if self.bundle is not None:
            from facecli.export.bundle.write import check_target

            check_target(self.bundle)
            if recipe is not None and not register:
                raise UsageError(
                    "--bundle and --no-register exclude each other", hint="a bundle holds installed models"
                )
        elif self.embed and output is None:
            raise UsageError("--embed-preprocessing needs a place to write to", hint="add --output DIR")
        if self.embed and output is not None and recipe is not None:
            from facecli.commands import _edge_models

            _edge_models.refuse_cascade(recipe)


@dataclass(frozen=True, slots=True)
class Done:
    """What was made for edge programs."""

    files: tuple[EdgeFile, ...] = ()
    bundle: Bundle | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The keys `edge` and `bundle` of the output."""
        told: dict[str, Any] = {"edge": [_described(file) for file in self.files]}
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


def needs_no_recipe(name: str | None) -> bool:
    """Whether what is named is no recipe but an installed model, or nothing at all."""
    from facecli.commands import _edge_models, _work

    return name is None or (name not in _work.registry().names("recipes") and _edge_models.is_model(name))


def after(edge: Edge, result: ExportResult, output: Path | None) -> Done:
    """What is asked for of a recipe that was just run."""
    from facecli.commands import _edge_models

    files: tuple[EdgeFile, ...] = ()
    if edge.embed and output is not None:
        networks = [file.path for file in result.files if file.path.suffix == ".onnx"]
        files = tuple(_edge_models.embed(edge, result.model, output, network) for network in networks)
    return Done(files, *_bundle(edge, result.model))


def of_installed(edge: Edge, model: str | None, output: Path | None) -> Done:
    """What is asked for of a model that is installed, or of the default ones."""
    from facecli.commands import _edge_models
    from facecli.errors import UsageError

    files: tuple[EdgeFile, ...] = ()
    if edge.embed and output is not None:
        given = (edge.detector, edge.recognizer, *edge.attributes)
        names = [name for name in given if name] if model is None else [model]
        if not names:
            raise UsageError(
                "no model to embed preprocessing in", hint="name a recipe, or installed models by --recognizer ..."
            )
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
        "size": file.size,
        "sha256": file.sha256,
        "input": file.input,
        "outputs": list(file.outputs),
        "proof": file.proof,
    }
