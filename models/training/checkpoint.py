"""Checkpoints: all that a training needs to go on as if it had never stopped, in one file, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facecli.errors import InputError, UsageError
from facecli.system.files import staged

Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a training. epoch: the number of finished ones. history: one row of figures for each of them."""

    epoch: int
    history: list[Row]


def save(path: Path, digest: str, progress: Progress, **parts: Any) -> None:
    """Write the state_dict of each part into a checkpoint. Raises OutputError.

    digest: of the configuration and the data that it belongs to.
    """
    states = {name: part.state_dict() for name, part in parts.items()}
    facts = {"digest": digest, "epoch": progress.epoch, "history": progress.history}
    with staged(path) as temporary:
        torch.save(facts | {"states": states}, temporary)


def resume(path: Path, digest: str, **parts: Any) -> Progress:
    """Load a checkpoint into the parts, and return its progress; without a file, epoch 0.

    Raises UsageError if it belongs to another configuration, InputError if it is damaged.
    """
    if not path.exists():
        return Progress(0, [])
    content = _read(path, "delete it to start anew")
    if content["digest"] != digest:
        reason = "was made with another configuration or other data"
        raise UsageError(f"{path} {reason}", hint="choose another --out, or delete it to start anew")
    for name, part in parts.items():
        part.load_state_dict(content["states"][name])
    return Progress(content["epoch"], content["history"])


@dataclass(frozen=True, slots=True)
class Start:
    """The network that a training begins with. state: its averaged weights. origin: differs for different states."""

    state: dict[str, Tensor]
    origin: str


def start(path: Path) -> Start:
    """Return the averaged network of a checkpoint. Raises InputError if there is none, or if it is damaged."""
    content = _read(path, "give the folder of a run that has this network")
    state = {name.removeprefix("network."): value for name, value in content["states"]["average"].items()}
    return Start(state, f"{content['digest']} {content['epoch']}")


def _read(path: Path, hint: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        content["digest"], content["states"]["average"]
    except Exception as error:  # torch fails in a dozen ways on a file that it has not written
        raise InputError(f"{path} is no checkpoint: {type(error).__name__}", hint=hint) from error
    return content


class Average(nn.Module):
    """An exponential moving average of a network's weights and statistics. copy: a network of the same layers."""

    def __init__(self, network: nn.Module, copy: nn.Module) -> None:
        super().__init__()
        self.network = copy
        self.network.load_state_dict(network.state_dict())
        self.network.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def update(self, network: nn.Module, keep: float) -> None:
        """Keep the part `keep` of the average and take the rest from the network; whole numbers are copied."""
        for value, latest in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if value.dtype.is_floating_point:
                value.lerp_(latest, 1 - keep)
            else:
                value.copy_(latest)
