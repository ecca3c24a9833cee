"""Records: one JSON file per model that lists its files in the store, either exported ones or downloaded ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from facecli.system.files import write_bytes

Entry = dict[str, Any]  # of one file: name, sha256 (64 hex digits), size in bytes


def write(path: Path, model_id: str, files: Iterable[Entry], origin: Mapping[str, Any]) -> None:
    """Write a record. origin: where the files are from, as JSON can hold it. Raises OutputError."""
    record = {"model": model_id, "files": list(files), "origin": dict(origin)}
    write_bytes(path, json.dumps(record, indent=2).encode())


def read(path: Path) -> dict[str, Any]:
    """Return a record, {} if there is none. Raises OSError, and ValueError or RecursionError if it is damaged."""
    return parse(path.read_bytes()) if path.is_file() else {}


def parse(content: bytes) -> dict[str, Any]:
    """Return the record that `write` wrote. Raises ValueError or RecursionError for anything else."""
    document = json.loads(content.decode())
    record = document if isinstance(document, dict) else {}
    files, origin = record.get("files"), record.get("origin")
    if not (isinstance(files, list) and all(map(is_entry, files)) and _is_origin(origin)):
        raise ValueError("it needs an origin and files, each with a name, a sha256 of 64 hex digits, and a size")
    return record


def _is_origin(origin: Any) -> bool:
    """Return True for a table whose facts about downloaded files, if it has any, are texts."""
    if not isinstance(origin, dict):
        return False
    sources = origin.get("sources", {})
    texts = [origin.get("licence", ""), origin.get("facecli", "")]
    return isinstance(sources, dict) and all(isinstance(text, str) for text in (*texts, *sources.values()))


def is_entry(entry: Any) -> bool:
    """Return True if a value read from JSON has the three keys of an Entry, each of the right type."""
    if not isinstance(entry, dict):
        return False
    name, sha256, size = (entry.get(key) for key in ("name", "sha256", "size"))
    return isinstance(name, str) and is_sha256(sha256) and type(size) is int and size >= 0


def is_sha256(value: Any) -> bool:
    """Return True for a text of 64 lower-case hex digits."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
