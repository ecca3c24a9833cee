"""Adding a model of the user's: its file goes into the store, its description into the user's folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.contract import ModelFile, ModelSpec
from facecli.models.disk.guards import records_locked, writing
from facecli.models.entries.own import SCHEMA, described, forget
from facecli.system.files import sha256_of, write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facecli.models.store import ModelStore


def add(spec: ModelSpec, path: Path, store: ModelStore, origin: Mapping[str, Any]) -> ModelSpec:
    """Install a file as the user's model `spec`, replacing an earlier one of that id; return it with its file.

    spec: checked by `checked.spec`. origin: where the file is from, as JSON can hold it. Raises ModelError if the store
    can not be written.
    """
    file = ModelFile(path.name, sha256_of(path), path.stat().st_size)
    added = dataclasses.replace(spec, files=(file,), hint=f"`facecli models add` {path.name} again")
    store.register(spec.id, [path], origin)
    description = described(added)
    description["files"] = [{"name": file.name, "sha256": file.sha256, "size": file.size}]
    content = json.dumps({"schema": SCHEMA, **description}, indent=2, default=dict, allow_nan=False)
    with writing(), records_locked(store.layout):
        forget(store.layout, spec.id)  # an earlier one may have been of another kind
        write_bytes(store.layout.description(spec.kind, spec.id), content.encode())
    return added
