"""The installation of an export, as the recipe's model or a model of the user's, and over no other one unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facecli.cli import context
from facecli.errors import ExportError, ModelError
from facecli.inventory.admission import check_name
from facecli.models.selftests import asking

if TYPE_CHECKING:
    from pathlib import Path

    from facecli.contract import ExportRecipe, ModelSpec
    from facecli.export.run import ExportResult
    from facecli.export.target import Target


ELSEWHERE = "--no-register --output DIR"  # a way to have the files without an installation


def check_export(
    recipe: ExportRecipe, spec: ModelSpec | None, target: Target, *, replace: bool, of_module: bool
) -> None:
    """Refuse, before any work, an export whose result could not be installed, or only over a model of the user's.

    A recipe may replace its own earlier result. A --module may not: two modules can share a name by accident. Raises
    UsageError, ExportError.
    """
    if _replaces_files(spec, target):
        return
    if spec is None or spec.kind == "detector":
        raise _no_model_of_its_own(recipe.model, target)
    derived = target.derived(spec)
    free = replace or (not of_module and _made_by(recipe.name, derived.id))
    check_name(derived, context.registry(), replace=free, otherwise="choose another --name" if of_module else ELSEWHERE)


def install(result: ExportResult, target: Target) -> str:
    """Install the files: fp32 ones as the recipe's model, others as a model of the user's. Return the model's id."""
    from facecli.models import adding
    from facecli.models.entries import checked, own

    store = context.open_store()
    files = [file.path for file in result.files if file.kind != "ort"]
    spec = result.spec
    if _replaces_files(spec, target):
        if spec is not None and len(files) == 1:
            _try(spec, files[0])
        store.register(result.model, files, result.origin)
        if spec is not None:
            asking.record_missing(store, spec)
        return result.model
    if spec is None or spec.kind == "detector" or len(files) != 1:
        raise _no_model_of_its_own(result.model, target)
    _try(spec, files[0])
    entry = own.described(target.derived(spec))
    added = adding.add(checked.spec(entry, (), result.model), files[0], store, result.origin)
    asking.record_missing(store, added)
    return added.id


def _try(spec: ModelSpec, file: Path) -> None:
    """Raise ModelError for an exported file that can not be right: a source may be wrong in the same way."""
    from facecli.inference.session import open_session
    from facecli.inventory import trial

    trial.run(spec, open_session(file), file.name, context.registry())


def _replaces_files(spec: ModelSpec | None, target: Target) -> bool:
    """Return whether the files become the model that the recipe names, in place of any files that it has."""
    return target.precision == "fp32" and (spec is None or bool(spec.files))


def _made_by(recipe: str, model_id: str) -> bool:
    try:
        record = context.open_store().registration(model_id)
    except ModelError:  # damaged: nothing says which recipe made it
        return False
    return bool(record.get("origin", {}).get("recipe") == recipe)


def _no_model_of_its_own(model: str, target: Target) -> ExportError:
    message = f"{model} in {target.precision} can not be installed as a model of its own"
    return ExportError(message, hint=f"add {ELSEWHERE}")
