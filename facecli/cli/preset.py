"""--preset: the settings of another project, where the command line says nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from facecli.cli.settings import Settings
from facecli.hosting.presets import PRESETS

if TYPE_CHECKING:
    from facecli.contract import Metric


def applied(settings: Settings, *options: str) -> Settings:
    """The settings with what the preset says of these options (detector, recognizer, face), unless they were typed.

    An option on the command line wins over the preset, and the preset over environment variables.
    """
    if settings.preset is None:
        return settings
    preset, ctx = PRESETS[settings.preset], click.get_current_context()
    typed = {name for name in options if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    changed: dict[str, Any] = {name: getattr(preset, name) for name in options if name not in typed}
    settings = replace(settings, **changed)
    used = (None if settings.no_detect else settings.detector, settings.recognizer)
    own = [
        f"{plugin}.{name}={json.dumps(value)}"
        for plugin, values in preset.parameters.items()
        for name, value in values.items()
        if plugin in used
    ]
    return replace(settings, parameter=(*own, *settings.parameter))  # the later of two counts


def metric(settings: Settings) -> Metric | None:
    """What the preset compares by."""
    return None if settings.preset is None else PRESETS[settings.preset].metric


def crops(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """What the preset has otherwise in recognizers' crops, as `toolbox.Choice` takes it."""
    return {} if settings.preset is None else PRESETS[settings.preset].crops


def attributes(settings: Settings, wanted: Sequence[str]) -> tuple[str, ...]:
    """What is wanted, each attribute as the preset's own model where it has one; all of its where none was typed."""
    own = () if settings.preset is None else PRESETS[settings.preset].attributes
    source = click.get_current_context().get_parameter_source("attributes")
    if own and source is ParameterSource.DEFAULT:
        return own
    models = {name.partition("/")[0]: name for name in own}
    return tuple(models.get(name, name) for name in wanted)


def named(settings: Settings) -> dict[str, str]:
    """What a document tells of the preset: nothing without one."""
    return {} if settings.preset is None else {"preset": settings.preset}
