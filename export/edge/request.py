"""The request for one edge file: which network becomes one, and which plugin proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facecli.contract import ModelSpec
from facecli.contract.plugin import Plugin
from facecli.export.proof.samples import PORTRAITS, Samples


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
    """Return the parameters of a plugin's edge file: its defaults and the overrides, but one look of one size.

    The size of a detector that has a range of them is the least one, which serves near faces and far ones best.
    """
    parameters = {**plugin.parameters, **overrides}
    if "multi_scale" in parameters:
        parameters["multi_scale"] = "never"
    if "least_size" in parameters:
        parameters["size"] = parameters["least_size"] = overrides.get("size", parameters["least_size"])
    return parameters
