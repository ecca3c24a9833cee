"""Values of options that click has no type for: finite numbers, lists, sizes, and NAME=VALUE."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import click

from facecli.errors import UsageError


def assignment(text: str, option: str, form: str) -> tuple[str, str]:
    """Return the two sides of NAME=VALUE. option, form: for the UsageError if there are no two sides."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(f"can not read {option} {text!r}", hint=f"write {form}")
    return name, value


def parse_parameters(
    given: Sequence[str], named: str = "--parameter", form: str = "PLUGIN.NAME=VALUE"
) -> dict[str, dict[str, Any]]:
    """Return plugin -> parameter -> value of texts PLUGIN.NAME=VALUE; a value that is no JSON is a string.

    named, form: of the option, for the UsageError about a text that can not be read.
    """
    import json

    parsed: dict[str, dict[str, Any]] = {}
    for text in given:
        left, equals, value = text.partition("=")
        plugin, dot, name = left.rpartition(".")
        if not (equals and dot and plugin and name):
            raise UsageError(f"can not read {named} {text!r}", hint=f"write {form}")
        try:
            parsed.setdefault(plugin, {})[name] = json.loads(value)
        except (ValueError, RecursionError):
            parsed.setdefault(plugin, {})[name] = value
    return parsed


WORKERS = click.IntRange(1, 256)  # threads and jobs; more than any machine has use for is a slip of the finger


class Finite(click.FloatRange):
    """A number in a range; neither NaN, which every comparison lets pass, nor infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; refuse NaN and infinity."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class FileOrUrl(click.Path):
    """The name of something that exists on this machine, or a URL, which is looked at later."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name; refuse one that is nothing here."""
        return value if "://" in value else super().convert(value, param, ctx)


def split_commas(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Return the parts of a comma-separated option, () where it is not given; refuse one that names nothing."""
    if value is None:
        return ()
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if not parts:
        raise click.BadParameter(f"no {(parameter.name or '').removesuffix('s')} named", ctx, parameter)
    return parts


def numbers(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """Return the numbers of a comma-separated option, None where it is not given."""
    if value is None:
        return None
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers", ctx, parameter) from None


def size(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Return width and height, in px, of an option WIDTHxHEIGHT, None where it is not given."""
    if value is None:
        return None
    width, cross, height = value.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and len(value) < 12):
        raise click.BadParameter(f"{value!r} is no WIDTHxHEIGHT", ctx, parameter)
    return int(width), int(height)
