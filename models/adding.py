"""TODO: facecli.models.adding."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.contract import ModelFile, ModelSpec
from facecli.models.entries.own import SCHEMA, described, forget
from facecli.system import home
from facecli.system.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facecli.models.store import ModelStore


def add(spec: ModelSpec, path: Path, store: ModelStore, origin: Mapping[str, Any]) -> ModelSpec:
    """Take a file in as the user's model `spec`, whose own files it replaces; the spec has been checked.

    Raises ModelError if the store can not be written.
    """
    from facecli.models.arrival.intake import changing, writing
    from facecli.system.files import sha256_of

    file = ModelFile(path.name, sha256_of(path), path.stat().st_size)
    whole = dataclasses.replace(spec, files=(file,), hint=f"`facecli models add` {path.name} again")
    store.register(spec.id, [path], origin)
    known = described(whole)
    known["files"] = [{"name": file.name, "sha256": file.sha256, "size": file.size}]
    content = json.dumps({"schema": SCHEMA, **known}, indent=2, default=dict, allow_nan=False)
    with writing(), changing(store.layout):
        forget(store.root, spec.id)  # one that was of the other kind
        write_bytes(home.description(store.root, spec.kind, spec.id), content.encode())
    return whole
