"""Installing models that the user makes or brings: under which name, and never over another one unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facecli.commands import _selftests, _work
from facecli.errors import ExportError, ModelError, UsageError

if TYPE_CHECKING:
    from facecli.contract import ExportRecipe, ModelSpec
    from facecli.export.run import ExportResult
    from facecli.export.target import Target

_ELSEWHERE = "--no-register --output DIR"


def check_name(spec: ModelSpec, *, replace: bool, otherwise: str = "choose another --name") -> None:
    """Raise UsageError for a name that is facecli's, a plugin's, or, without `replace`, another model's of the user."""
    from facecli.models import catalogue, own

    if spec.id in catalogue.shipped():
        raise UsageError(f"the name {spec.id} belongs to facecli itself", hint="choose another --name")
    kind: Any = f"{spec.kind}s"
    if spec.id in own.model_ids():
        if not replace:
            raise UsageError(f"you have a model {spec.id} already", hint=f"add --replace, or {otherwise}")
    elif spec.id in _work.registry().names(kind):
        raise UsageError(f"there is a plugin {spec.id} already", hint="choose another --name")


def check_export(recipe: ExportRecipe, spec: ModelSpec | None, target: Target, *, replace: bool, module: bool) -> None:
    """Refuse, before any work, an export whose result could not be installed, or only over a model of the user's.

    What the same recipe made before is replaced unasked; what a --module made is not: its name says nothing of it.
    """
    if _is_the_recipes_own(spec, target):
        return
    if spec is None or spec.kind == "detector":
        raise _no_model_of_its_own(recipe.model, target)
    wanted = target.derived(spec)
    free = replace or (not module and _made_by(recipe.name, wanted.id))
    check_name(wanted, replace=free, otherwise="choose another --name" if module else _ELSEWHERE)


def install(result: ExportResult, target: Target) -> str:
    """Take the files in: as the recipe's model where it has fp32 files, else as a model of the user's; its id."""
    from facecli.models import checked, own

    store = _work.open_store()
    files = [file.path for file in result.files if file.kind != "ort"]
    spec = result.spec
    if _is_the_recipes_own(spec, target):
        store.register(result.model, files, result.origin)
        if spec is not None:
            _selftests.remember(store, spec)
        return result.model
    if spec is None or spec.kind == "detector" or len(files) != 1:
        raise _no_model_of_its_own(result.model, target)
    entry = own.described(target.derived(spec))
    added = own.add(checked.spec(entry, (), result.model), files[0], store, result.origin)
    _selftests.remember(store, added)
    return added.id


def _is_the_recipes_own(spec: ModelSpec | None, target: Target) -> bool:
    """Whether the files are those of the model that the recipe names, which stand in for any that it has."""
    return target.precision == "fp32" and (spec is None or bool(spec.files))


def _made_by(recipe: str, model_id: str) -> bool:
    try:
        record = _work.open_store().registration(model_id)
    except ModelError:  # damaged: nobody knows whose it was
        return False
    return bool(record.get("origin", {}).get("recipe") == recipe)


def _no_model_of_its_own(model: str, target: Target) -> ExportError:
    message = f"{model} in {target.precision} can not be installed as a model of its own"
    return ExportError(message, hint=f"add {_ELSEWHERE}")
