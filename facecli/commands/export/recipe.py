"""The export of a recipe: its options, and the run that ends with files, reports and an installed model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from facecli.cli import options
from facecli.errors import UsageError

if TYPE_CHECKING:
    from facecli.commands.export.samples import FaceFinder
    from facecli.contract import DetectorPlugin, ExportRecipe, ModelSpec
    from facecli.export.run import ExportResult

PRECISIONS = ("fp32", "fp16", "int8")

recipe_options = options.chain(
    click.option(
        "--weights", type=click.Path(path_type=Path, exists=True), help="Source weights.  [default: the recipe's]"
    ),
    click.option(
        "--output", "-o", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write the files here too."
    ),
    click.option("--register/--no-register", default=True, help="Install the result in the model store."),
    click.option("--replace", is_flag=True, help="Install it in the place of a model of yours with this name."),
    click.option("--precision", type=click.Choice(PRECISIONS), default="fp32", help="Of weights and arithmetic."),
    click.option(
        "--calibration",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="DIR",
        help="Pictures of faces for int8: what the model will see.",
    ),
    click.option(
        "--samples",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="DIR",
        help="Pictures of faces for the proof.  [default: two portraits of facecli's]",
    ),
    click.option("--optimize", is_flag=True, help="Simplify the graph."),
    click.option("--ort", is_flag=True, help="Also write ONNX Runtime's own format, for mobile builds."),
    click.option(
        "--evaluate",
        "pairs",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="PAIRS.csv",
        help="Measure the accuracy before and after on labelled pairs.",
    ),
    click.option(
        "--root",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        default=".",
        help="Folder of the pictures of --evaluate.",
    ),
)


@dataclass(frozen=True, slots=True)
class RecipeOptions:
    """The values of recipe_options. folder: --output, a place for the files beside the store. pairs: --evaluate."""

    weights: Path | None
    folder: Path | None
    register: bool
    replace: bool
    precision: Literal["fp32", "fp16", "int8"]
    calibration: Path | None
    samples: Path | None
    optimize: bool
    ort: bool
    pairs: Path | None
    root: Path

    def check(self) -> None:
        """Raise UsageError for options that would leave nothing behind."""
        if not self.register and self.folder is None:
            raise UsageError("--no-register without --output would leave nothing", hint="add --output DIR")
        if self.ort and self.folder is None:
            raise UsageError("--ort writes a file for others", hint="add --output DIR")


def load_recipe(name: str | None) -> ExportRecipe:
    """Return the recipe of this name. Raises UsageError if none is named, PluginError for an unknown one."""
    from facecli.cli import context
    from facecli.contract import ExportRecipe

    if name is None:
        raise UsageError("no recipe", hint="`facecli export --list` names them")
    return context.registry().load("recipes", name, ExportRecipe)


def export(
    recipe: ExportRecipe, choices: RecipeOptions, finder: FaceFinder, *, of_module: bool
) -> tuple[ExportResult, str | None]:
    """Export a recipe and install its files if that is asked for. Return the result and the installed model's id.

    finder: finds the faces for calibration, proof and accuracy. of_module: the recipe was made from --module.
    """
    from facecli.commands.export import accuracy, installing
    from facecli.export.proof.samples import PORTRAITS
    from facecli.export.request import ExportRequest, recipe_spec
    from facecli.export.run import export_recipe
    from facecli.export.target import Target
    from facecli.models.disk.work import work_folder
    from facecli.system.files import require_file

    if choices.weights is not None and not choices.weights.is_dir():
        require_file(choices.weights)
    weights = choices.weights or _catalogued_weights(recipe)
    calibration = choices.calibration
    target = Target(
        precision=choices.precision,
        optimize=choices.optimize,
        ort=choices.ort,
        calibration=None if calibration is None else finder.crops(calibration),
        pictures=None if calibration is None else finder.pictures(calibration),
    )
    spec = recipe_spec(recipe)
    if choices.register:
        installing.check_export(recipe, spec, target, replace=choices.replace, of_module=of_module)
    judge = None if choices.pairs is None else accuracy.Judge(choices.pairs, choices.root, spec, finder)
    with work_folder() as temporary:
        request = ExportRequest(
            recipe=recipe,
            weights=weights,
            target=target,
            detector=_detector(recipe, spec),
            judge=judge,
            samples=PORTRAITS if choices.samples is None else finder.samples(choices.samples),
        )
        result = export_recipe(request, choices.folder or temporary)
        return result, installing.install(result, target) if choices.register else None


def _catalogued_weights(recipe: ExportRecipe) -> Path | None:
    """Return the catalogue's weights/RECIPE for a recipe without default weights; None if there is none."""
    from facecli.cli import context
    from facecli.models import catalogue
    from facecli.models.entries import shipped

    name = f"weights/{recipe.name}"
    if recipe.default_weights is not None or name not in shipped.model_ids():
        return None
    return context.open_store().path(catalogue.load(name))


def _detector(recipe: ExportRecipe, spec: ModelSpec | None) -> DetectorPlugin | None:
    """Return the plugin that runs a detector's files, for the proof; None if the recipe is for no detector of ours."""
    from facecli.cli import context
    from facecli.contract import DetectorPlugin

    registry = context.registry()
    name = recipe.detector or (recipe.model if spec is not None and spec.kind == "detector" else None)
    known = name is not None and (recipe.detector or name in registry.names("detectors"))
    return registry.load("detectors", name, DetectorPlugin) if name is not None and known else None
