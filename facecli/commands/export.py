"""`facecli export`: PyTorch, dlib and Keras weights to ONNX files that provably agree with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _edge
from facecli.commands import _module as user_module
from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.contract import DetectorPlugin, ExportRecipe, ModelSpec
    from facecli.export.report import ExportedFile
    from facecli.export.run import ExportResult
    from facecli.registry import Registry


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
@user_module.module_options
@_edge.edge_options
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
    module, asked = user_module.taken(kwargs), _edge.taken(kwargs)
    settings = options.Settings(**kwargs)

    from facecli import records
    from facecli.commands import _work
    from facecli.errors import UsageError

    sink = _work.open_output(settings)
    with sink.opened():
        if list_recipes:
            rows = _recipes(_work.registry())
            document = records.header("export-recipes", recipes=rows)
        elif _edge.needs_no_recipe(asked, recipe, module):
            done = _edge.of_installed(
                _sampled(asked, samples, settings).checked(None, output, settings), recipe, output
            )
            document, rows = records.header("export-edge", **done.document()), done.rows()
        else:
            chosen = user_module.recipe(recipe, module, register=register) or _named(recipe)
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
                done = _edge.after(edge, result, model or result.model, output)
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
    settings: options.Settings


def _sampled(asked: _edge.Edge, folder: Path | None, settings: options.Settings) -> _edge.Edge:
    from facecli.commands import _judging

    return asked if folder is None else replace(asked, samples=_judging.samples(folder, settings))


def _named(name: str | None) -> ExportRecipe:
    from facecli.commands import _work
    from facecli.contract import ExportRecipe
    from facecli.errors import UsageError

    if name is None:
        raise UsageError("no recipe", hint="`facecli export --list` names them")
    return _work.registry().load("recipes", name, ExportRecipe)


def _catalogued(recipe: ExportRecipe) -> Path | None:
    """The source weights of a recipe without a default, where the catalogue has them as weights/RECIPE; else None."""
    from facecli.commands import _work
    from facecli.models import catalogue

    name = f"weights/{recipe.name}"
    if recipe.default_weights is not None or name not in catalogue.shipped():
        return None
    return _work.open_store().path(catalogue.load(name))


def _export(recipe: ExportRecipe, wish: _Wish, *, module: bool) -> tuple[ExportResult, str | None]:
    """The result, and the id of the model that it is installed as."""
    from tempfile import TemporaryDirectory

    from facecli.commands import _installing, _judging
    from facecli.export.faces import PORTRAITS
    from facecli.export.run import export_recipe, recipe_spec
    from facecli.export.target import Target

    given = () if wish.calibration is None else (wish.calibration, wish.settings)
    seen = (_judging.calibration(*given), _judging.pictures(*given)) if given else ()
    target = Target(wish.precision, wish.optimize, wish.ort, *seen)
    spec = recipe_spec(recipe)
    if wish.register:
        _installing.check_export(recipe, spec, target, replace=wish.replace, module=module)
    judge = None if wish.pairs is None else _judging.Judge(wish.pairs, wish.root, spec, wish.settings)
    samples = PORTRAITS if wish.samples is None else _judging.samples(wish.samples, wish.settings)
    with TemporaryDirectory(prefix="facecli-export-") as folder:
        result = export_recipe(
            *(recipe, wish.weights, wish.output or Path(folder), target),
            detector=_detector(recipe, spec),
            judge=judge,
            samples=samples,
        )
        return result, _installing.install(result, target) if wish.register else None


def _detector(recipe: ExportRecipe, spec: ModelSpec | None) -> DetectorPlugin | None:
    """The plugin that runs a detector's files, for the proof."""
    from facecli.commands import _work
    from facecli.contract import DetectorPlugin

    registry = _work.registry()
    name = recipe.detector or (recipe.model if spec is not None and spec.kind == "detector" else None)
    known = name is not None and (recipe.detector or name in registry.names("detectors"))
    return registry.load("detectors", name, DetectorPlugin) if name is not None and known else None


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
    axes = file.axes.document()["outputs"]
    outputs = [{"output": name, "axes": axes[name]} | asdict(worst) for name, worst in file.worst.items()]
    return {
        "file": file.path.name,
        "kind": file.kind,
        "path": str(file.path) if kept else None,
        "report": str(file.report) if kept else None,
        "size": file.size,
        "sha256": file.sha256,
        "source": file.source,
        "source_sha256": file.source_sha256,
        "exporter": file.exporter,
        "notes": list(file.notes),
        "steps": list(file.steps),
        "task": file.task,
        "tolerance": file.tolerance,
        "outputs": outputs,
        "proved_on": file.proved_on,
        "detection": file.detection and asdict(file.detection),
        "latency_ms": file.latency,
        "accuracy": file.accuracy,
    }


def _rows(file: ExportedFile) -> list[dict[str, Any]]:
    """The proof in short, a line per figure."""
    from facecli.export.axes import told

    rows = [("size", f"{file.size} bytes, sha256 {file.sha256[:12]}...")]
    for name, worst in file.worst.items():
        rows.append((name, f"is {told(file.axes.outputs[name])}, as its source"))
        rows.append((name, f"differs by {worst.max_difference:.1e} at most, {worst.mean_difference:.1e} on average"))
        if worst.meaning is not None:
            kind = "least cosine" if file.task == "embedding" else "part of equal classes"
            rows.append((name, f"{kind} {worst.meaning:.7f}"))
    if file.proved_on == "samples":
        rows.append(("proved on", "faces in your pictures"))
    if (found := file.detection) is not None:
        shift = "" if found.landmarks is None else f", landmarks within {found.landmarks:.1e} px"
        rows.append(("faces", f"{found.faces}, least IoU {found.iou:.4f}{shift}"))
    for kind, batches in (file.latency or {}).items():
        rows.append((f"{kind} takes", ", ".join(f"{ms:.2f} ms at batch {batch}" for batch, ms in batches.items())))
    for kind, own in (file.accuracy or {"files": {}})["files"].items():
        measured = f"{own['accuracy']:.2%} right at the threshold, {own['best_accuracy']:.2%} at the best one"
        rows.append((f"{kind} has", measured))
    return [{"file": file.path.name, "what": what, "measured": measured} for what, measured in rows]
