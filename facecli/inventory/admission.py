"""TODO: facecli.inventory.admission."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.cli import context
from facecli.errors import UsageError
from facecli.inventory import describing, trial

if TYPE_CHECKING:
    from facecli.contract import ModelSpec


def check_name(spec: ModelSpec, *, replace: bool, otherwise: str = "choose another --name") -> None:
    """Raise UsageError for a name that is facecli's, a plugin's, or, without `replace`, another model's of the user."""
    from facecli.contract.kinds import MODEL_KINDS
    from facecli.models.entries import own, shipped

    if spec.id in shipped.model_ids():
        raise UsageError(f"the name {spec.id} belongs to facecli itself", hint="choose another --name")
    if spec.id in own.model_ids():
        if not replace:
            raise UsageError(f"you have a model {spec.id} already", hint=f"add --replace, or {otherwise}")
    elif spec.id in context.registry().names(MODEL_KINDS[spec.kind]):
        raise UsageError(f"there is a plugin {spec.id} already", hint="choose another --name")


def _add(file: Path, name: str | None, given: dict[str, Any], *, ignore_metadata: bool, replace: bool) -> ModelSpec:
    import shutil
    from tempfile import TemporaryDirectory

    from facecli.errors import ModelError, OutputError
    from facecli.inference.session import open_session
    from facecli.models import adding
    from facecli.models.entries import checked, metadata
    from facecli.models.selftests import asking

    with TemporaryDirectory(prefix="facecli-add-") as folder:
        # Alone in a folder: a file that keeps its weights in others, wherever those are, does not load.
        alone = Path(folder) / file.name
        try:
            shutil.copyfile(file, alone)
        except OSError as error:
            raise OutputError(f"{file} can not be copied: {error.strerror}", hint="free some space") from error
        try:
            session = open_session(alone)
        except ModelError as error:
            raise ModelError(error.message, hint="is it a whole ONNX file, with its weights inside?") from error
        said = {} if ignore_metadata else metadata.read(session.metadata, file.name)
        entry = describing.described(said, given)
        if name is not None:
            entry["id"] = name
        if "id" not in entry:
            raise UsageError(f"{file.name} does not say its name", hint="add --name")
        describing.fill(entry)
        trial.fill_detector(entry)
        spec = checked.spec(entry, (), file.name)
        check_name(spec, replace=replace)
        trial.run(spec, session, file.name)
        kept = alone.with_name(f"{spec.id.replace('/', '-')}{file.suffix}")
        store = context.open_store()
        added = adding.add(spec, alone.replace(kept), store, {"added_from": file.name, "metadata": said != {}})
        asking.remember(store, added)
        return added
