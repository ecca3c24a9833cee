"""The options of `facecli export` for programs on edge devices, and the job that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import options, values
from facecli.errors import ExportError, UsageError
from facecli.hosting.choice import RECOGNIZER

if TYPE_CHECKING:
    from facecli.contract import ExportRecipe, ModelSpec
    from facecli.export.proof.samples import Samples

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
    click.option("--recognizer", help=f"Recognizer of the bundle.  [default: RECIPE's, else {RECOGNIZER}]"),
    click.option(
        "--attributes",
        callback=values.split_commas,
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
class EdgeOptions:
    """The values of edge_options; --recognizer is in PluginSettings."""

    embed_preprocessing: bool
    bundle: Path | None
    attributes: tuple[str, ...]
    web_runtime: Path | None


@dataclass(frozen=True, slots=True)
class EdgeJob:
    """The edge files and the bundle to make.

    embed: write NAME.edge.onnx. bundle: the bundle's folder, None for no bundle. detector: None if the user named none.
    recognizer, attributes: of the bundle. parameters: plugin's name -> parameters. samples: the user's, for the proof.
    """

    embed: bool
    bundle: Path | None
    web_runtime: Path | None
    detector: str | None
    recognizer: str | None
    attributes: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    samples: Samples | None

    @property
    def empty(self) -> bool:
        """True if there is nothing to make."""
        return not self.embed and self.bundle is None

    def check(self, recipe: ExportRecipe | None, folder: Path | None, *, register: bool = True) -> None:
        """Refuse, before any work, a job that would fail or leave nothing behind. Raises UsageError, ExportError.

        recipe: the recipe that runs first, None for installed models. folder: --output.
        """
        if self.bundle is None and (self.web_runtime or (recipe is not None and (self.recognizer or self.attributes))):
            name = "web-runtime" if self.web_runtime else "recognizer" if self.recognizer else "attributes"
            raise UsageError(f"--{name} is for a bundle", hint="add --bundle DIR")
        if self.bundle is not None:
            from facecli.export.bundle.write import check_target

            check_target(self.bundle)
            if recipe is not None and not register:
                raise UsageError("--bundle and --no-register exclude each other", hint="a bundle has installed models")
        elif self.embed and folder is None:
            raise UsageError("--embed-preprocessing needs a place to write to", hint="add --output DIR")
        if self.embed and folder is not None and recipe is not None:
            from facecli.export.request import recipe_spec

            spec = recipe_spec(recipe)
            if spec is not None:
                refuse_cascade(spec)


def refuse_cascade(spec: ModelSpec) -> None:
    """Raise ExportError for a model of several networks: no single graph can hold the code between them."""
    if len(spec.files) > 1:
        message = f"{spec.id} is {len(spec.files)} networks with code between them, which no single graph can hold"
        raise ExportError(message, hint="--bundle brings the code; or choose a single-shot detector")
