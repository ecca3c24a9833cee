"""The JSON Schemas of docs/schemas in the OpenAPI document of a server. They are read when somebody asks for it.

A schema `NAME.json` is the component NAME there, and each of its $defs the component NAME.DEFINITION.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

COMPONENTS = "#/components/schemas/"


def reference(name: str) -> dict[str, str]:
    """Return the OpenAPI schema that stands for a component. name: such as "detect" or "serve.health"."""
    return {"$ref": COMPONENTS + name}


def with_components(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document with the components that it refers to, and those that they refer to."""
    found: dict[str, Any] = dict(document.get("components", {}).get("schemas", {}))
    missing = set(_references(document)) - found.keys()
    while missing:
        found |= {name: _all()[name] for name in missing}
        missing = {name for one in missing for name in _references(_all()[one])} - found.keys()
    schemas = {name: found[name] for name in sorted(found)}
    return document | {"components": document.get("components", {}) | {"schemas": schemas}}


@cache
def _all() -> dict[str, Any]:
    """Return all components by name."""
    found: dict[str, Any] = {}
    for file in resources.files("facecli.schemas").iterdir():
        if file.name.endswith(".json"):
            name = file.name.removesuffix(".json")
            schema = _moved(json.loads(file.read_text("utf-8")), name)
            del schema["$schema"]
            found |= {f"{name}.{own}": one for own, one in schema.pop("$defs", {}).items()}
            found[name] = schema
    return found


def _moved(value: Any, name: str) -> Any:
    """Return a part of the schema NAME.json whose references lead to components."""
    if isinstance(value, list):
        return [_moved(one, name) for one in value]
    if not isinstance(value, dict):
        return value
    moved = {key: _moved(one, name) for key, one in value.items()}
    if isinstance(target := value.get("$ref"), str):
        file, _, inside = target.partition("#")
        moved["$ref"] = COMPONENTS + (file.removesuffix(".json") or name) + inside.replace("/$defs/", ".", 1)
    return moved


def _references(value: Any) -> Iterator[str]:
    """Return the names of the components that a part of a document refers to."""
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, dict):
        if isinstance(target := value.get("$ref"), str) and target.startswith(COMPONENTS):
            yield target.removeprefix(COMPONENTS).partition("/")[0]
        for one in value.values():
            yield from _references(one)
