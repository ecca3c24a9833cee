"""A mapping, read from TOML or JSON, becomes a ModelSpec or another dataclass of the contract by its annotations.

Every value must have the type that its field is annotated with; no text may be unprintable, no number absurd.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

LONGEST_TEXT = 2000  # characters
MOST_ITEMS = 1000  # of a list, such as the labels
LARGEST_NUMBER = 1e6  # no template coordinate, mean, std or threshold comes near it

_NAMES = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def build(kind: Any, table: Any, place: str = "") -> Any:
    """Return the dataclass `kind` made from a mapping of its fields. Raises ValueError for anything else.

    place: the dotted name of the table, for messages.
    """
    if not isinstance(table, Mapping):
        raise ValueError(f"{place} must be a table")  # noqa: TRY004 # one class for every fault of an entry
    prefix = f"{place}." if place else ""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := set(table) - set(fields):
        raise ValueError(f"{prefix}{min(unknown)!s:.40} is not known")
    values = {name: _conform(value, fields[name].type, f"{prefix}{name}") for name, value in table.items()}
    required = (
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )
    if missing := next((name for name in required if name not in values), None):
        raise ValueError(f"{prefix}{missing} is missing")
    return kind(**values)


def _conform(value: Any, annotation: Any, place: str) -> Any:  # noqa: PLR0911 # one per kind of type
    """Return the value in the annotated type. Raises ValueError if it has another one."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _conform(value, next(one for one in arguments if one is not type(None)), place)
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{place} must be one of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        return _tuple(value, arguments, place)
    if dataclasses.is_dataclass(annotation):
        return build(annotation, value, place)
    if origin is not None:  # the contract's one mapping: metric -> threshold
        if not isinstance(value, Mapping):
            raise ValueError(f"{place} must be a table")
        return {_conform(k, str, place): _conform(v, float, f"{place}.{k!s:.40}") for k, v in value.items()}
    return _plain(value, annotation, place)


def _tuple(value: Any, arguments: tuple[Any, ...], place: str) -> Any:
    if not isinstance(value, (list, tuple)) or len(value) > MOST_ITEMS:
        raise ValueError(f"{place} must be a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_conform(item, arguments[0], place) for item in value)
    if len(value) != len(arguments):
        raise ValueError(f"{place} must have {len(arguments)} values")
    return tuple(_conform(item, one, place) for item, one in zip(value, arguments, strict=True))


def _plain(value: Any, kind: Any, place: str) -> Any:
    if kind is float and type(value) is int:
        value = float(value) if abs(value) <= LARGEST_NUMBER else math.inf
    if type(value) is not kind:
        raise ValueError(f"{place} must be {_NAMES.get(kind, kind.__name__)}")
    if kind is float and not abs(value) <= LARGEST_NUMBER:  # so that NaN is refused too
        raise ValueError(f"{place} must be a number up to {LARGEST_NUMBER:g}")
    # Unprintable characters could rewrite a terminal.
    if kind is str and not (value.isprintable() and len(value) <= LONGEST_TEXT):
        raise ValueError(f"{place} must be printable and at most {LONGEST_TEXT} characters long")
    return value
