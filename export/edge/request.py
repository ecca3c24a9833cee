"""The request for one edge file: which network becomes one, and which plugin proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.contract import ModelSpec
from facecli.contract.plugin import Plugin
from facecli.export.proof.samples import PORTRAITS, Samples

# Parameters that keep a detector from looking at a picture a second time, enlarged: a graph looks once.
SINGLE_SCALE = {"multi_scale": "never"}


@dataclass(frozen=True, slots=True)
class EdgeRequest:
    """A network that gets its preprocessing into the graph.

    network: its ONNX file. plugin: the plugin that runs the model, whose results the edge file must repeat. spec: the
    model's description. parameters: the plugin's. samples: the crops or pictures of the proof.
    """

    network: Path
    plugin: Plugin
    spec: ModelSpec
    parameters: Mapping[str, Any]
    samples: Samples = PORTRAITS


def edge_parameters(plugin: Plugin, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a plugin's edge file: its defaults, the overrides, and no second look."""
    parameters = {**plugin.parameters, **overrides}
    return parameters | {name: value for name, value in SINGLE_SCALE.items() if name in parameters}
