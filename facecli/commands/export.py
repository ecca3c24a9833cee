"""`facecli export`: PyTorch, dlib and Keras weights to ONNX files that provably agree with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _edge
from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.export.run import ExportedFile, ExportResult
    from facecli.registry import Registry


@click.command()
@click.argument("recipe", required=False)
@click.option("--list", "list_recipes", is_flag=True, help="List the recipes instead.")
@click.option(
    "--weights", type=click.Path(path_type=Path, exists=True), help="Source weights.  [default: the recipe's]"
)
@click.option("--output", "-o", type=click.Path(path_type=Path, file_okay=False), help="Write the files here too.")
@click.option("--register/--no-register", default=True, help="Install the result in the model store.")
@_edge.edge_options
@options.output_options
def command(
    recipe: str | None, list_recipes: bool, weights: Path | None, output: Path | None, register: bool, **kwargs: Any
) -> None:
    """Export weights to ONNX files that provably agree.

    RECIPE names the networks; the files are installed in the model store. A network that does not agree is not
    written. Beside each file lies a report with every figure of the proof.
    """
    asked = {name: kwargs.pop(name) for name in _edge.NAMES}
    settings = options.Settings(**kwargs)

    from facecli import records
    from facecli.commands import _work
    from facecli.errors import UsageError

    sink = _work.open_output(settings)
    with sink.opened():
        edge = _edge.Edge.of(**asked)
        if list_recipes:
            rows = _recipes(_work.registry())
            document = records.header("export-recipes", recipes=rows)
        elif edge.wanted and _edge.needs_no_recipe(recipe):
            edge.check(recipe=None, output=output, register=True)
            done = _edge.of_installed(edge, recipe, output)
            document, rows = records.header("export-edge", **done.document()), done.rows()
        else:
            if recipe is None:
                raise UsageError("no recipe", hint="`facecli export --list` names them")
            if not register and output is None:
                raise UsageError("--no-register without --output would leave nothing", hint="add --output DIR")
            edge.check(recipe=recipe, output=output, register=register)
            result = _export(recipe, weights, output, register=register)
            rows = [row for file in result.files for row in _rows(file)]
            document = records.header("export", recipe=result.recipe, model=result.model, registered=register)
            document["files"] = [_described(file, kept=output is not None) for file in result.files]
            if edge.wanted:
                done = _edge.after(edge, result, output)
                document |= done.document()
                rows += done.rows()
    sink.document(document, rows)


def _export(name: str, weights: Path | None, output: Path | None, *, register: bool) -> ExportResult:
    from tempfile import TemporaryDirectory

    from facecli.commands import _work
    from facecli.contract import ExportRecipe
    from facecli.export.run import export_recipe

    recipe = _work.registry().load("recipes", name, ExportRecipe)
    with TemporaryDirectory(prefix="facecli-export-") as folder:
        result = export_recipe(recipe, weights, output or Path(folder))
        if register:
            _work.open_store().register(result.model, [file.path for file in result.files], result.origin)
    return result


def _recipes(registry: Registry) -> list[dict[str, Any]]:
    from facecli.errors import PluginError

    rows = []
    for entry in registry.entries("recipes"):
        try:
            recipe = registry.load_entry(entry)
            summary, model, weights = recipe.summary, recipe.model, recipe.default_weights
        except PluginError as error:
            summary, model, weights = f"broken: {error.message}", None, None
        row = {"recipe": entry.name, "model": model, "summary": summary, "default_weights": weights}
        rows.append(row | {"from": entry.origin})
    return rows


def _described(file: ExportedFile, *, kept: bool) -> dict[str, Any]:
    outputs = [{"output": name, "max_difference": value} for name, value in file.worst.items()]
    return {
        "file": file.path.name,
        "path": str(file.path) if kept else None,
        "report": str(file.report) if kept else None,
        "size": file.size,
        "sha256": file.sha256,
        "source": file.source,
        "source_sha256": file.source_sha256,
        "exporter": file.exporter,
        "tolerance": file.tolerance,
        "outputs": outputs,
    }


def _rows(file: ExportedFile) -> list[dict[str, Any]]:
    shared = {"file": file.path.name, "bytes": file.size, "sha256": file.sha256[:12]}
    return [
        shared | {"output": name, "max difference": f"{value:.1e}", "tolerance": f"{file.tolerance:.0e}"}
        for name, value in file.worst.items()
    ]
