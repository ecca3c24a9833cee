"""`facecli export --module`: options that say what a torch module of the user's is, and the recipe they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from facecli.cli import model_options, options, values
from facecli.inventory import describing

if TYPE_CHECKING:
    from facecli.contract import ExportRecipe, ModelSpec

OPSET = 18  # as ExportRecipe has it
TOLERANCE = 1e-5  # as ExportPart has it

module_options = options.chain(
    click.option("--module", metavar="PACKAGE.MODULE:CALLABLE", help="Export what this callable of yours makes."),
    click.option("--name", metavar="ID", help="Of a --module: what to call the model.  [default: the callable's name]"),
    click.option("--input", "inputs", multiple=True, metavar="[NAME=]1x3x112x112", help="Of a --module: an input."),
    click.option("--output-name", "outputs", multiple=True, metavar="NAME", help="Of a --module: an output."),
    click.option(
        "--dynamic",
        multiple=True,
        metavar="[INPUT:]AXIS[=NAME]",
        help="Of a --module: an axis that is free; none for none.  [default: 0=batch]",
    ),
    click.option("--opset", type=click.IntRange(18, 25), default=OPSET, help="Of a --module: ONNX operator set."),
    click.option(
        "--tolerance",
        type=values.Finite(0, 1),
        default=TOLERANCE,
        help="Of a --module: largest difference of any output.",
    ),
    model_options.describing_options,
)

_OWN = ("module", "name", "inputs", "outputs", "dynamic", "opset", "tolerance")


def taken(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options of a module out of a command's arguments."""
    found = {key: arguments.pop(key) for key in _OWN}
    return found | {"description": model_options.taken(arguments)}


def recipe(name: str | None, given: dict[str, Any], *, register: bool) -> ExportRecipe | None:
    """The recipe of --module; None if it is not given. Raises UsageError for options that do not go together."""
    from facecli.errors import UsageError

    if given["module"] is None:
        used = [key for key, plain in (("inputs", ()), ("outputs", ()), ("dynamic", ())) if given[key] != plain]
        changed = given["name"] or given["opset"] != OPSET or given["tolerance"] != TOLERANCE
        if used or changed or given["description"].statements:
            raise UsageError("these options describe a module of yours", hint="add --module PACKAGE.MODULE:CALLABLE")
        return None
    if name is not None:
        raise UsageError("RECIPE and --module exclude each other", hint="leave one of them away")
    if not given["inputs"]:
        raise UsageError("--module needs the shape of its input", hint="add --input, such as --input 1x3x112x112")
    from facecli.export.recipes.user_inputs import parse_inputs
    from facecli.export.recipes.user_module import UserModule

    inputs = parse_inputs(given["inputs"], given["dynamic"])
    model, spec = _name(given), _spec(given)
    if spec is None and register:
        raise UsageError(
            "of this module too little is known to install it",
            hint="add --no-register --output DIR, or --kind and what belongs to it",
        )
    return UserModule(
        factory=given["module"],
        name=model,
        inputs=inputs,
        outputs=given["outputs"] or ("output",),
        licence=given["description"].statements.get("licence", "not stated"),
        opset=given["opset"],
        tolerance=given["tolerance"],
        task=None if spec else "values",
        spec=spec,
    ).recipe()


def _name(given: dict[str, Any]) -> str:
    from facecli.errors import UsageError
    from facecli.models.entries import shipped
    from facecli.system.home import ID

    name = given["name"] or given["module"].rpartition(":")[2].lower()
    if not ID.fullmatch(name):
        raise UsageError(f"{name!r:.60} is no name for a model: a-z, 0-9, - and _", hint="add --name")
    if name in shipped.model_ids():
        raise UsageError(f"the name {name} belongs to facecli itself", hint="choose another --name")
    return str(name)


def _spec(given: dict[str, Any]) -> ModelSpec | None:
    """What the model is for; None if the options only tell its licence and the like."""
    from facecli.models.entries import checked

    description = given["description"]
    if description.kind is None:
        needless = set(description.statements) - {"licence", "summary", "source", "commercial_use"}
        if needless:
            from facecli.errors import UsageError

            raise UsageError(f"--{min(needless)} says nothing without a kind", hint="add --kind")
        return None
    if description.kind == "detector":
        from facecli.errors import UsageError

        hint = "leave --kind out, add --no-register, and then `facecli models add FILE --kind detector --family ...`"
        raise UsageError("a detector is not registered by its export", hint=hint)
    entry = describing.merged({"id": _name(given)}, description)
    describing.fill(entry)
    return checked.spec(entry, (), "the options")
