"""`facecli export --module`: the options that describe a torch module of the user's, and the recipe that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from facecli.cli import model_options, options, values
from facecli.errors import UsageError
from facecli.inventory import describing

if TYPE_CHECKING:
    from facecli.contract import ExportRecipe, ModelSpec
    from facecli.inventory.describing import ModelDescription

OPSET = 18  # the default of ExportRecipe
TOLERANCE = 1e-5  # the default of ExportPart

module_options = options.chain(
    click.option("--module", metavar="PACKAGE.MODULE:CALLABLE", help="Export what this callable of yours makes."),
    click.option("--name", metavar="ID", help="Of a --module: what to call the model.  [default: the callable's name]"),
    click.option(
        "--input", "input_shapes", multiple=True, metavar="[NAME=]1x3x112x112", help="Of a --module: an input."
    ),
    click.option("--output-name", "output_names", multiple=True, metavar="NAME", help="Of a --module: an output."),
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


@dataclass(frozen=True, slots=True)
class ModuleOptions:
    """The values of module_options, without those that describe the model.

    module: PACKAGE.MODULE:CALLABLE, None if no module is exported. name: the model's id, None for the callable's name.
    input_shapes: texts [NAME=]1x3x112x112. dynamic: texts [INPUT:]AXIS[=NAME].
    """

    module: str | None
    name: str | None
    input_shapes: tuple[str, ...]
    output_names: tuple[str, ...]
    dynamic: tuple[str, ...]
    opset: int
    tolerance: float


def recipe_of(
    name: str | None, module: ModuleOptions, description: ModelDescription, *, register: bool
) -> ExportRecipe | None:
    """Return the recipe of --module, None if it is not given. Raises UsageError for options that contradict each other.

    name: RECIPE, which excludes a module. register: the result is to be installed, which takes a description.
    """
    if module.module is None:
        changed = module.name or module.opset != OPSET or module.tolerance != TOLERANCE
        if changed or module.input_shapes or module.output_names or module.dynamic or description.statements:
            raise UsageError("these options describe a module of yours", hint="add --module PACKAGE.MODULE:CALLABLE")
        return None
    if name is not None:
        raise UsageError("RECIPE and --module exclude each other", hint="leave one of them away")
    if not module.input_shapes:
        needed, about = describing.lacking(describing.merged({}, description)) if register else ("", ())
        rest = f", and to have it installed {needed}" if needed else ""
        hint = f"add --input, such as --input 1x3x112x112{rest}"
        raise UsageError("--module needs the shape of its input", hint=hint, about=about)
    from facecli.export.recipes.user_inputs import parse_inputs
    from facecli.export.recipes.user_module import UserModule

    inputs = parse_inputs(module.input_shapes, module.dynamic)
    model = _model_id(module.module, module.name)
    spec = _spec(model, description)
    if spec is None and register:
        needed, about = describing.lacking({})
        hint = f"add --no-register --output DIR, or {needed}"
        raise UsageError("of this module too little is known to install it", hint=hint, about=about)
    return UserModule(
        factory=module.module,
        name=model,
        inputs=inputs,
        outputs=module.output_names or ("output",),
        licence=description.licence or "not stated",
        opset=module.opset,
        tolerance=module.tolerance,
        task=None if spec else "values",
        spec=spec,
    ).recipe()


def _model_id(module: str, name: str | None) -> str:
    """Return the model's id: `name`, else the callable's name in small letters. Raises UsageError."""
    from facecli.models.entries import shipped
    from facecli.system.home import ID

    model_id = name or module.rpartition(":")[2].lower()
    if not ID.fullmatch(model_id):
        raise UsageError(f"{model_id!r:.60} is no name for a model: a-z, 0-9, - and _", hint="add --name")
    if model_id in shipped.model_ids():
        raise UsageError(f"the name {model_id} belongs to facecli itself", hint="choose another --name")
    return model_id


def _spec(model_id: str, description: ModelDescription) -> ModelSpec | None:
    """Return the description as a ModelSpec; None if it states no kind, only a licence and the like."""
    from facecli.models.entries import checked

    described = set(description.statements) - {"licence", "summary", "source", "commercial_use"}
    if description.kind is None and not described:
        return None
    if description.kind == "detector":
        hint = "leave --kind out, add --no-register, and then `facecli models add FILE --kind detector --family ...`"
        raise UsageError("a detector is not registered by its export", hint=hint)
    entry = describing.merged({"id": model_id}, description)
    describing.require_complete(entry)
    describing.fill(entry)
    return checked.spec(entry, (), "the options", typed=True)
