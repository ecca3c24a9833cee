"""--preset: the settings of another project, where the command line says nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource

from facecli.commands._options import Settings
from facecli.presets import PRESETS


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


def crops(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """What the preset has otherwise in recognizers' crops, as `toolbox.Choice` takes it."""
    return {} if settings.preset is None else PRESETS[settings.preset].crops


def named(settings: Settings) -> dict[str, str]:
    """What a document tells of the preset: nothing without one."""
    return {} if settings.preset is None else {"preset": settings.preset}
