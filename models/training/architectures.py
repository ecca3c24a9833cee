"""The networks that a recipe may name, each built from the recipe's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facecli.errors import UsageError
from facecli.models.training.networks import ResidualNetwork
from facecli.models.training.trunk import Trunk

Network = ResidualNetwork | Trunk
NETWORKS: Mapping[str, type[Network]] = {"residual": ResidualNetwork, "trunk": Trunk}


def build(name: str, outputs: int, options: Mapping[str, Any]) -> Network:
    """Return a network with random weights. options: its arguments, from a recipe; also `packed`.

    Raises UsageError for a name that no network has, and for options that do not fit it.
    """
    if name not in NETWORKS:
        raise UsageError(f"there is no network {name!r}", hint=f"there is {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](outputs, **options)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"the options of network {name!r} do not fit: {error}") from error
