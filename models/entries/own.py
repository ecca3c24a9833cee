"""The user's own models: ONNX files in the store, each described by a JSON file in the user's folder.

A description is checked whenever it is read: whoever can write there must not be able to do more than add a model.
"""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import Any

from facecli.contract import ModelFile, ModelSpec
from facecli.errors import ModelError
from facecli.kinds import MODEL_KINDS
from facecli.models.disk import records
from facecli.models.disk.layout import Layout
from facecli.models.entries import checked
from facecli.system import home, strict_json

SCHEMA = "facecli.model/1"
LARGEST = 2**20  # bytes of a description


def model_ids() -> list[str]:
    """Return the ids of the user's models, sorted, without damaged ones: `load` reports those when they are named."""
    layout, ids = Layout(home.folder()), []
    for model_id in sorted({model_id for kind in MODEL_KINDS for model_id in layout.described(kind)}):
        with suppress(ModelError):
            load(model_id)
            ids.append(model_id)
    return ids


def load(model_id: str) -> ModelSpec | None:
    """Return a model of the user's, None if there is none of that id. Raises ModelError if it is damaged.

    model_id: must match home.ID, so that it can not leave the user's folder.
    """
    layout = Layout(home.folder())
    for kind in MODEL_KINDS:
        path = layout.description(kind, model_id)
        try:
            if not path.is_file():
                continue
            content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
        except OSError as error:
            raise ModelError(f"{path} can not be read: {error.strerror}", hint="mend it") from error
        return parse(content, model_id, kind, str(path))
    return None


def forget(layout: Layout, model_id: str) -> None:
    """Delete the description of a user's model, if there is one. Raises OSError."""
    for kind in MODEL_KINDS:
        layout.description(kind, model_id).unlink(missing_ok=True)


def described(spec: ModelSpec) -> dict[str, Any]:
    """Return a model as its description states it, without the schema and the files."""
    facts = {key: value for key, value in dataclasses.asdict(spec).items() if value not in (None, (), "")}
    facts.pop("files", None)
    return facts


def parse(content: bytes, model_id: str, kind: str, where: str) -> ModelSpec:
    """Return the model that a description, a JSON text, is of.

    where: the description's place, for messages. Raises ModelError unless all of it is sound, and of this id and kind.
    """
    try:
        entry = strict_json.loads(content)
        files = (_file(entry.pop("files")[0]),)
        fits = entry.pop("schema", None) == SCHEMA and (entry.get("id"), entry.get("kind")) == (model_id, kind)
        reason = None if fits else f"it does not describe the {kind} {model_id}"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
    if reason is not None:
        raise ModelError(f"{where} is damaged: {reason}", hint="delete it, and `facecli models add` it again")
    return checked.spec(entry, files, where)


def _file(entry: Any) -> ModelFile:
    name = entry["name"]
    if not (records.is_entry(entry) and Path(name).name == name and entry["size"] > 0):
        raise ValueError("its file needs a name, a sha256 and a size")
    return ModelFile(name, entry["sha256"], entry["size"])
