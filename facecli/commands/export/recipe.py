"""`facecli export`: PyTorch, dlib and Keras weights to ONNX files that provably agree with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import options
from facecli.cli.settings import Settings
from facecli.commands.export import edge_files
from facecli.commands.export import module as module_module
from facecli.commands.export.documents import _described, _recipes, _rows
from facecli.commands.export.edge import Edge, edge_options, taken

if TYPE_CHECKING:
    from facecli.contract import DetectorPlugin, ExportRecipe, ModelSpec
    from facecli.export.run import ExportResult


PRECISIONS = ("fp32", "fp16", "int8")


@click.command()
@click.argument("recipe", required=False)
@click.option("--list", "list_recipes", is_flag=True, help="List the recipes instead.")
@click.option(
    "--weights", type=click.Path(path_type=Path, exists=True), help="Source weights.  [default: the recipe's]"
)
@click.option("--output", "-o", type=click.Path(path_type=Path, file_okay=False), help="Write the files here too.")
@click.option("--register/--no-register", default=True, help="Install the result in the model store.")
@click.option("--replace", is_flag=True, help="Install it in the place of a model of yours with this name.")
@click.option("--precision", type=click.Choice(PRECISIONS), default="fp32", help="Of weights and arithmetic.")
@click.option(
    "--calibration",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Pictures of faces for int8: what the model will see.",
)
@click.option(
    "--samples",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Pictures of faces for the proof.  [default: two portraits of facecli's]",
)
@click.option("--optimize", is_flag=True, help="Simplify the graph.")
@click.option("--ort", is_flag=True, help="Also write ONNX Runtime's own format, for mobile builds.")
@click.option(
    "--evaluate",
    "evaluate_pairs",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="PAIRS.csv",
    help="Measure the accuracy before and after on labelled pairs.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=".",
    help="Folder of the pictures of --evaluate.",
)
@module_module.module_options
@edge_options
@options.detector_options
@options.face_option("center")
@options.limit_options
@options.output_options
def command(
    recipe: str | None,
    list_recipes: bool,
    weights: Path | None,
    output: Path | None,
    register: bool,
    replace: bool,
    precision: Any,
    calibration: Path | None,
    samples: Path | None,
    optimize: bool,
    ort: bool,
    evaluate_pairs: Path | None,
    root: Path,
    **kwargs: Any,
) -> None:
    """Export weights to ONNX files that provably agree.

    RECIPE names the networks; the files are installed in the model store, those of another precision as a model of
    their own, RECIPE-fp16 or RECIPE-int8. A network that does not agree is not written. Beside each file lies a report
    with every figure of the proof. --detector and --face say how faces are found for --calibration and --evaluate, and
    --detector which one a bundle has.
    """
    module, asked = module_module.taken(kwargs), taken(kwargs)
    settings = Settings(**kwargs)

    from facecli.cli import context
    from facecli.errors import UsageError
    from facecli.output import records

    sink = context.open_output(settings)
    with sink.opened():
        if list_recipes:
            rows = _recipes(context.registry())
            document = records.header("export-recipes", recipes=rows)
        elif edge_files.needs_no_recipe(asked, recipe, module):
            done = edge_files.of_installed(
                _sampled(asked, samples, settings).checked(None, output, settings), recipe, output
            )
            document, rows = records.header("export-edge", **done.document()), done.rows()
        else:
            chosen = module_module.recipe(recipe, module, register=register) or _named(recipe)
            if not register and output is None:
                raise UsageError("--no-register without --output would leave nothing", hint="add --output DIR")
            if ort and output is None:
                raise UsageError("--ort writes a file for others", hint="add --output DIR")
            edge = _sampled(asked, samples, settings).checked(chosen, output, settings, register=register)
            weights = weights or _catalogued(chosen)
            wish = _Wish(
                *(weights, output, register, replace, precision, calibration, samples, optimize, ort, evaluate_pairs),
                *(root, settings),
            )
            result, model = _export(chosen, wish, module=recipe is None)
            rows = [row for file in result.files for row in _rows(file)]
            document = records.header("export", recipe=result.recipe, model=model, registered=model is not None)
            document["files"] = [_described(file, kept=output is not None) for file in result.files]
            if edge.wanted:
                done = edge_files.after(edge, result, model or result.model, output)
                document |= done.document()
                rows += done.rows()
    sink.document(document, rows)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for, beside the recipe."""

    weights: Path | None
    output: Path | None
    register: bool
    replace: bool
    precision: Any
    calibration: Path | None
    samples: Path | None
    optimize: bool
    ort: bool
    pairs: Path | None
    root: Path
    settings: Settings


def _sampled(asked: Edge, folder: Path | None, settings: Settings) -> Edge:
    from facecli.commands.export import samples as samples_module

    return asked if folder is None else replace(asked, samples=samples_module.samples(folder, settings))


def _named(name: str | None) -> ExportRecipe:
    from facecli.cli import context
    from facecli.contract import ExportRecipe
    from facecli.errors import UsageError

    if name is None:
        raise UsageError("no recipe", hint="`facecli export --list` names them")
    return context.registry().load("recipes", name, ExportRecipe)


def _catalogued(recipe: ExportRecipe) -> Path | None:
    """The source weights of a recipe without a default, where the catalogue has them as weights/RECIPE; else None."""
    from facecli.cli import context
    from facecli.models import catalogue
    from facecli.models.entries import shipped

    name = f"weights/{recipe.name}"
    if recipe.default_weights is not None or name not in shipped.model_ids():
        return None
    return context.open_store().path(catalogue.load(name))


def _export(recipe: ExportRecipe, wish: _Wish, *, module: bool) -> tuple[ExportResult, str | None]:
    """The result, and the id of the model that it is installed as."""
    from tempfile import TemporaryDirectory

    from facecli.commands.export import accuracy, installing
    from facecli.commands.export import samples as samples_module
    from facecli.export.proof.samples import PORTRAITS
    from facecli.export.request import ExportRequest, recipe_spec
    from facecli.export.run import export_recipe
    from facecli.export.target import Target

    given = () if wish.calibration is None else (wish.calibration, wish.settings)
    seen = (samples_module.calibration(*given), samples_module.pictures(*given)) if given else ()
    target = Target(wish.precision, wish.optimize, wish.ort, *seen)
    spec = recipe_spec(recipe)
    if wish.register:
        installing.check_export(recipe, spec, target, replace=wish.replace, module=module)
    judge = None if wish.pairs is None else accuracy.Judge(wish.pairs, wish.root, spec, wish.settings)
    samples = PORTRAITS if wish.samples is None else samples_module.samples(wish.samples, wish.settings)
    with TemporaryDirectory(prefix="facecli-export-") as folder:
        request = ExportRequest(
            recipe=recipe,
            weights=wish.weights,
            target=target,
            detector=_detector(recipe, spec),
            judge=judge,
            samples=samples,
        )
        result = export_recipe(request, wish.output or Path(folder))
        return result, installing.install(result, target) if wish.register else None


def _detector(recipe: ExportRecipe, spec: ModelSpec | None) -> DetectorPlugin | None:
    """The plugin that runs a detector's files, for the proof."""
    from facecli.cli import context
    from facecli.contract import DetectorPlugin

    registry = context.registry()
    name = recipe.detector or (recipe.model if spec is not None and spec.kind == "detector" else None)
    known = name is not None and (recipe.detector or name in registry.names("detectors"))
    return registry.load("detectors", name, DetectorPlugin) if name is not None and known else None
