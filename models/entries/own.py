"""The user's own models: ONNX files in the store, each with a description in the user's folder instead of a TOML.

A description is checked whenever it is read: whoever can write there must not be able to do more than add a model.
"""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from facecli.contract import ModelFile, ModelSpec
from facecli.contract.kinds import MODEL_KINDS
from facecli.errors import ModelError
from facecli.models.entries import checked
from facecli.system import home

SCHEMA = "facecli.model/1"
LARGEST = 2**20  # bytes of a description


def model_ids() -> list[str]:
    """The ids of the user's models, sorted, without those whose description is damaged: they are told when named."""
    found = []
    for name in sorted({name for kind in MODEL_KINDS for name in home.added(kind)}):
        with suppress(ModelError):
            load(name)
            found.append(name)
    return found


def load(model_id: str) -> ModelSpec | None:
    """A model of the user's; None if there is none of that id. Raises ModelError if its description is damaged."""
    root = home.folder()
    for kind in MODEL_KINDS:
        path = home.description(root, kind, model_id)
        try:
            if not path.is_file():
                continue
            content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
        except OSError as error:
            raise ModelError(f"{path} can not be read: {error.strerror}", hint="mend it") from error
        return parse(content, model_id, kind, str(path))
    return None


def forget(root: Path, model_id: str) -> None:
    """Delete the description of a user's model, if it is one. Raises OSError."""
    for kind in MODEL_KINDS:
        home.description(root, kind, model_id).unlink(missing_ok=True)


def described(spec: ModelSpec) -> dict[str, Any]:
    """A spec as a description has it, without its files."""
    known = {key: value for key, value in dataclasses.asdict(spec).items() if value not in (None, (), "")}
    known.pop("files", None)
    return known


def parse(content: bytes, model_id: str, kind: str, where: str) -> ModelSpec:
    """The model that a description is of. Raises ModelError, naming `where` it is, unless all of it is sound."""
    try:
        entry = json.loads(content)
        files = (_file(entry.pop("files")[0]),)
        sound = entry.pop("schema", None) == SCHEMA and (entry.get("id"), entry.get("kind")) == (model_id, kind)
        reason = None if sound else f"it does not describe the {kind} {model_id}"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
    if reason is not None:
        raise ModelError(f"{where} is damaged: {reason}", hint="delete it, and `facecli models add` it again")
    return checked.spec(entry, files, where)


def _file(entry: Any) -> ModelFile:
    name, sha256, size = entry["name"], entry["sha256"], entry["size"]
    sound = isinstance(name, str) and Path(name).name == name and isinstance(sha256, str) and type(size) is int
    if not (sound and len(sha256) == 64 and set(sha256) <= set("0123456789abcdef") and size > 0):
        raise ValueError("its file needs a name, a sha256 and a size")
    return ModelFile(name, sha256, size)
