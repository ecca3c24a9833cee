"""What an ONNX file says of itself: a model's catalogue facts in its metadata, under keys like "facecli.crop"."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from facecli.errors import ModelError

if TYPE_CHECKING:
    from facecli.contract import CropSpec, ModelSpec, Preprocessing

PREFIX = "facecli."
# ModelSpec's fields that are plain text; the others are JSON, but for those that a file does not say of itself: its id
# is "facecli.model", and `files` would have to hold the file's own hash.
TEXTS = ("kind", "summary", "licence", "source", "paper", "training_data", "attribute", "family")
UNSAID = ("id", "files", "hint")
LONGEST = 2**16  # characters of all that is read: a file that says more is not one of ours


def structures() -> tuple[str, ...]:
    """ModelSpec's fields that are written as JSON."""
    from facecli.contract import ModelSpec

    return tuple(field.name for field in dataclasses.fields(ModelSpec) if field.name not in (*TEXTS, *UNSAID))


def of_spec(
    spec: ModelSpec, *, crop: CropSpec | None = None, preprocessing: Preprocessing | None = None
) -> dict[str, str]:
    """A model's facts by field, as text: plain for TEXTS, JSON for the others; what is unknown is left out.

    crop, preprocessing: of this file, where they differ from the model's.
    """
    known = dataclasses.asdict(spec)
    if crop is not None:
        known["crop"] = dataclasses.asdict(crop)
    if preprocessing is not None:
        known["preprocessing"] = dataclasses.asdict(preprocessing)
    facts = {name: known[name] for name in TEXTS if known[name]}
    said = {name: known[name] for name in structures() if known[name] not in (None, (), "")}
    return facts | {name: json.dumps(value, separators=(",", ":"), default=dict) for name, value in said.items()}


def read(metadata: Mapping[str, str], name: str) -> dict[str, Any]:
    """The facts of a file, as a catalogue entry has them (without `files`); empty if it says nothing.

    Nothing here is to be trusted: whoever uses it checks it. Raises ModelError for what can not even be read.
    """
    own = {key.removeprefix(PREFIX): text for key, text in metadata.items() if key.startswith(PREFIX)}
    if sum(map(len, own.values())) > LONGEST:
        raise ModelError(f"{name} has too much metadata", hint="describe the model with options and --ignore-metadata")
    entry: dict[str, Any] = {field: own[field] for field in TEXTS if field in own}
    if "model" in own:
        entry["id"] = own["model"]
    for field in structures():
        if field in own:
            try:
                entry[field] = json.loads(own[field])
            except (ValueError, RecursionError) as error:
                hint = "describe the model with options and --ignore-metadata"
                raise ModelError(f"{name}: its metadata {PREFIX}{field} is not JSON: {error}", hint=hint) from error
    return entry
