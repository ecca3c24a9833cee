"""`facecli export`: PyTorch, dlib and Keras weights become ONNX files that provably agree with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from facecli.cli import completing, manual, options
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, gathering
from facecli.commands.export.edge import EdgeJob, EdgeOptions, edge_options
from facecli.commands.export.module import ModuleOptions, module_options
from facecli.commands.export.recipe import RecipeOptions, recipe_options
from facecli.errors import UsageError
from facecli.inventory.describing import ModelDescription

if TYPE_CHECKING:
    from facecli.commands.export.samples import FaceFinder


@manual.command(examples=("export --list", "export dlib-resnet --precision fp16"))
@click.argument("recipe", required=False, shell_complete=completing.recipes)
@click.option("--list", "list_recipes", is_flag=True, help="List the recipes instead.")
@options.long_option
@recipe_options
@module_options
@edge_options
@options.detector_options
@options.face_option("center")
@options.limit_options
@options.format_options
@gathering(choices=RecipeOptions, module=ModuleOptions, description=ModelDescription, edge=EdgeOptions)
def command(
    recipe: str | None,
    list_recipes: bool,
    long: bool,
    choices: RecipeOptions,
    module: ModuleOptions,
    description: ModelDescription,
    edge: EdgeOptions,
    reading: InputSettings,
    plugins: PluginSettings,
    output: OutputSettings,
) -> None:
    """Export weights to ONNX files that provably agree.

    RECIPE names the networks; the files are installed in the model store, those of another precision as a model of
    their own, RECIPE-fp16 or RECIPE-int8. A network that does not agree is not written. Beside each file lies a report
    with every figure of the proof. --detector and --face say how faces are found for --calibration and --evaluate, and
    --detector which one a bundle has.
    """
    from facecli.cli import context
    from facecli.commands.export import documents, edge_files
    from facecli.commands.export.samples import FaceFinder
    from facecli.output import records

    sink, table = context.open_sink(output), None
    with sink.opened():
        if list_recipes:
            if choices.folder is not None:
                hint = "leave it out, or write `facecli export --list --format csv > FILE`"
                raise UsageError("--output is for the files of an export, and --list makes none", hint=hint)
            rows = documents.recipes(context.registry())
            document = records.header("export-recipes", recipes=rows)
            table = rows if long else [{key: row[key] for key in ("recipe", "summary")} for row in rows]
        elif long:
            raise UsageError("--long is for a list", hint="add --list")
        else:
            finder = FaceFinder(reading, plugins, output)
            samples = None if choices.samples is None else finder.samples(choices.samples)
            job = edge_files.job(edge, plugins, samples)
            if edge_files.needs_no_recipe(job, recipe, module.module):
                job.check(None, choices.folder)
                edge_result = edge_files.of_installed(job, recipe, choices.folder)
                document = records.header("export-edge", **edge_result.document())
                rows = edge_result.rows()
            else:
                document, rows = _exported(recipe, choices, module, description, job, finder)
    sink.document(document, rows, table=table)


def _exported(
    name: str | None,
    choices: RecipeOptions,
    module: ModuleOptions,
    description: ModelDescription,
    job: EdgeJob,
    finder: FaceFinder,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Export a recipe, then make the files for edge programs. Return the document and its rows."""
    from facecli.commands.export import documents, edge_files
    from facecli.commands.export.module import recipe_of
    from facecli.commands.export.recipe import export, load_recipe
    from facecli.output import records

    recipe = recipe_of(name, module, description, register=choices.register) or load_recipe(name)
    choices.check()
    job.check(recipe, choices.folder, register=choices.register)
    result, model = export(recipe, choices, finder, of_module=name is None)
    rows = [row for file in result.files for row in documents.rows(file)]
    document = records.header("export", recipe=result.recipe, model=model, registered=model is not None)
    document["files"] = [documents.described(file, kept=choices.folder is not None) for file in result.files]
    if not job.empty:
        edge_result = edge_files.after(job, result, model or result.model, choices.folder)
        document |= edge_result.document()
        rows += edge_result.rows()
    return document, rows
