"""The metadata of an ONNX file as a catalogue entry: one text per field of ModelSpec, under "facecli.FIELD"."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from facecli.errors import ModelError
from facecli.system import strict_json

if TYPE_CHECKING:
    from facecli.contract import CropSpec, ModelSpec, Preprocessing

PREFIX = "facecli."
# ModelSpec's fields that are written as plain text; structures() are written as JSON.
TEXTS = ("kind", "summary", "licence", "source", "paper", "training_data", "attribute", "family")
# Fields that a file does not state: its id stands under "facecli.model", `files` would hold the file's own hash, and a
# cohort is a file of its own.
ABSENT = ("id", "files", "hint", "cohort_point")
LONGEST = 2**16  # characters of all texts together
_HINT = "describe the model with options and {ignore_metadata}"


def structures() -> tuple[str, ...]:
    """Return the names of ModelSpec's fields that are written as JSON."""
    from facecli.contract import ModelSpec

    return tuple(field.name for field in dataclasses.fields(ModelSpec) if field.name not in (*TEXTS, *ABSENT))


def of_spec(
    spec: ModelSpec, *, crop: CropSpec | None = None, preprocessing: Preprocessing | None = None
) -> dict[str, str]:
    """Return a model's facts as texts by field, without the prefix; unknown facts are left out.

    crop, preprocessing: the file's own, if they differ from the model's.
    """
    facts = dataclasses.asdict(spec)
    if crop is not None:
        facts["crop"] = dataclasses.asdict(crop)
    if preprocessing is not None:
        facts["preprocessing"] = dataclasses.asdict(preprocessing)
    texts = {name: facts[name] for name in TEXTS if facts[name]}
    values = {name: facts[name] for name in structures() if facts[name] not in (None, (), "")}
    return texts | {name: json.dumps(value, separators=(",", ":"), default=dict) for name, value in values.items()}


def read(metadata: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the facts of a file as a catalogue entry without `files`, {} if it has none. name: the file's.

    Nothing in it is trusted: `checked.spec` judges it. Raises ModelError for metadata that can not even be read.
    """
    texts = {key.removeprefix(PREFIX): text for key, text in metadata.items() if key.startswith(PREFIX)}
    if sum(map(len, texts.values())) > LONGEST:
        raise ModelError(f"{name} has too much metadata", hint=_HINT, about="ignore_metadata")
    entry: dict[str, Any] = {field: texts[field] for field in TEXTS if field in texts}
    if "model" in texts:
        entry["id"] = texts["model"]
    for field in structures():
        if field in texts:
            try:
                entry[field] = strict_json.loads(texts[field])
            except (ValueError, RecursionError) as error:
                message = f"{name}: its metadata {PREFIX}{field} is not JSON: {error}"
                raise ModelError(message, hint=_HINT, about="ignore_metadata") from error
    return entry
