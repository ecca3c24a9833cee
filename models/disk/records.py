"""Which files a model has in the store: one JSON per model, of what an export made or what was downloaded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from facecli.system.files import write_bytes

Entry = dict[str, Any]  # name, sha256, size


def write(path: Path, model_id: str, files: Iterable[Entry], origin: Mapping[str, Any]) -> None:
    """Write a record. Raises OutputError."""
    record = {"model": model_id, "files": list(files), "origin": dict(origin)}
    write_bytes(path, json.dumps(record, indent=2).encode())


def read(path: Path) -> dict[str, Any]:
    """A record, empty if there is none. Raises OSError, and ValueError or RecursionError if it is damaged."""
    return parse(path.read_bytes()) if path.is_file() else {}


def parse(content: bytes) -> dict[str, Any]:
    """The record that `write` writes. Raises ValueError or RecursionError for anything else."""
    record = json.loads(content.decode())
    known = record if isinstance(record, dict) else {}
    files, origin = known.get("files"), known.get("origin")
    if not (isinstance(files, list) and all(map(is_entry, files)) and isinstance(origin, dict)):
        raise ValueError("it needs an origin and files, each with a name, a sha256 of 64 hex digits, and a size")
    return known


def is_entry(entry: Any) -> bool:
    """Whether this describes a file: its name, sha256 and size."""
    if not isinstance(entry, dict):
        return False
    name, sha256, size = (entry.get(key) for key in ("name", "sha256", "size"))
    hexadecimal = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256) is not None
    return isinstance(name, str) and hexadecimal and type(size) is int and size >= 0
