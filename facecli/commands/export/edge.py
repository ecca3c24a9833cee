"""What `facecli export` does for edge programs: preprocessing in the graph, and bundles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from facecli.cli import options, values
from facecli.cli.settings import Settings

if TYPE_CHECKING:
    from facecli.contract import ExportRecipe
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
    click.option("--recognizer", help="Recognizer of the bundle.  [default: RECIPE's, else dlib-resnet]"),
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
        self, recipe: ExportRecipe | None, output: Path | None, settings: Settings, *, register: bool = True
    ) -> Edge:
        """Refuse, before any work, what would fail or leave nothing behind; complete it with the shared options."""
        from facecli.cli.values import parse_parameters
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
            from facecli.commands.export import edge_models

            edge_models.refuse_cascade(recipe)
        named = click.get_current_context().get_parameter_source("detector") is not ParameterSource.DEFAULT
        return replace(
            self, detector=settings.detector if named else None, parameters=parse_parameters(settings.parameter)
        )


def taken(arguments: dict[str, Any]) -> Edge:
    """These options out of a command's arguments."""
    embed = arguments.pop("embed_preprocessing")
    return Edge(embed, **{name: arguments.pop(name) for name in ("bundle", "recognizer", "attributes", "web_runtime")})
