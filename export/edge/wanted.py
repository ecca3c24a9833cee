"""TODO: facecli.export.edge.wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.contract import ModelSpec
from facecli.contract.plugin import Plugin
from facecli.export.proof.samples import PORTRAITS, Samples

ONE_LOOK = {"multi_scale": "never"}  # of detectors that can look at a picture twice: a graph looks once


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is embedded: the network's file, the plugin that runs it, its model, what it runs with, what proves it."""

    network: Path
    plugin: Plugin
    spec: ModelSpec
    parameters: Mapping[str, Any]
    samples: Samples = PORTRAITS


def one_look(plugin: Plugin, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a plugin's edge file has: its defaults, what is given instead, and no second look."""
    parameters = {**plugin.parameters, **given}
    return parameters | {name: value for name, value in ONE_LOOK.items() if name in parameters}
