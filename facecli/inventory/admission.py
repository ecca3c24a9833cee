"""Admission of a user's ONNX file: described, tried, copied into the store, and from then on a model like any other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.errors import ModelError, OutputError, UsageError
from facecli.inventory import describing, trial
from facecli.kinds import MODEL_KINDS

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.hosting.registry import Registry
    from facecli.inference.session import OnnxSession
    from facecli.inventory.describing import ModelDescription
    from facecli.models.store import ModelStore

LONGEST_RUN = 60.0  # seconds; nobody knows yet whether the model ends
ANOTHER_NAME = "choose another {name}"  # a hint; {name} is a setting


@dataclass(frozen=True, slots=True)
class Applicant:
    """A file that is to become a model.

    name: the model's id; None: the id in the file's metadata. description: statements of the user, which replace the
    metadata's. ignore_metadata: use the description alone. replace: take the place of a model of the user's that has
    the name.
    """

    file: Path
    name: str | None
    description: ModelDescription
    ignore_metadata: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """A model that was added, with its file. notes: what was made good on its file, one sentence each."""

    spec: ModelSpec
    notes: tuple[str, ...]


def admit(applicant: Applicant, registry: Registry, store: ModelStore) -> Admitted:
    """Install a file as a model of the user's, and return the model with its file.

    Raises UsageError for a description that does not make sense or a name that is taken, ModelError for a file that is
    not what its description says, and OutputError if there is no room to try it.
    """
    from facecli.models import adding
    from facecli.models.disk.work import work_folder
    from facecli.models.entries import checked, metadata
    from facecli.models.selftests import asking
    from facecli.system.files import require_file

    file = applicant.file
    require_file(file)
    with work_folder(store.layout) as folder:
        copy, notes = _copied(file, folder)
        session = _opened(copy)
        facts = {} if applicant.ignore_metadata else metadata.read(session.metadata, file.name)
        entry = describing.merged(facts, applicant.description)
        if applicant.name is not None:
            entry["id"] = applicant.name
        if "id" not in entry:
            raise UsageError(f"{file.name} does not say its name", hint="add {name}", about="name")
        describing.fill(entry)
        trial.fill_detector(entry, registry)
        describing.require_complete(entry)
        spec = checked.spec(entry, (), file.name, typed=True)
        check_name(spec, registry, replace=applicant.replace)
        trial.run(spec, session, file.name, registry)
        named = copy.replace(copy.with_name(f"{spec.id.replace('/', '-')}{file.suffix}"))
        origin = {"added_from": file.name, "metadata": facts != {}} | ({"mended": list(notes)} if notes else {})
        added = adding.add(spec, named, store, origin)
        asking.record_missing(store, added)
        return Admitted(added, notes)


def check_name(spec: ModelSpec, registry: Registry, *, replace: bool, otherwise: str = ANOTHER_NAME) -> None:
    """Raise UsageError if the model's id is taken: by facecli, by a plugin or, unless `replace`, by the user's own.

    otherwise: what to do instead of replacing, for the hint.
    """
    from facecli.models.entries import own, shipped

    if spec.id in shipped.model_ids():
        raise UsageError(f"the name {spec.id} belongs to facecli itself", hint=ANOTHER_NAME, about="name")
    if spec.id in own.model_ids():
        if not replace:
            hint = f"add {{replace}}, or {otherwise}"
            raise UsageError(f"you have a model {spec.id} already", hint=hint, about=("replace", "name"))
    elif spec.id in registry.names(MODEL_KINDS[spec.kind]):
        raise UsageError(f"there is a plugin {spec.id} already", hint=ANOTHER_NAME, about="name")


def _copied(file: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Copy a file into a folder, made whole and fit to run; return the copy, and notes of what was made good."""
    from facecli.models.arrival.mending import mend

    copy, mended = folder / file.name, mend(file)
    try:
        if mended is None:
            shutil.copyfile(file, copy)
        else:
            copy.write_bytes(mended.content)
    except OSError as error:
        raise OutputError(f"{file} can not be copied: {error.strerror}", hint="free some space") from error
    return copy, mended.notes if mended else ()


def _opened(file: Path) -> OnnxSession:
    from facecli.inference.session import VERIFY, open_session

    try:
        session = open_session(file)
    except ModelError as error:
        hint = "is it a whole ONNX file?" if error.hint == VERIFY else error.hint
        raise ModelError(error.message, hint=hint) from error
    session.longest = LONGEST_RUN
    return session
