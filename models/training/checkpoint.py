"""Checkpoints: what a training needs to go on as if it had never stopped; written whole or not at all."""

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
    """epoch: how many are done. history: one row of figures for each of them."""

    epoch: int
    history: list[Row]


def save(path: Path, digest: str, progress: Progress, **parts: Any) -> None:
    """Write a checkpoint of everything that has a state_dict. digest: of the configuration it belongs to."""
    states = {name: part.state_dict() for name, part in parts.items()}
    facts = {"digest": digest, "epoch": progress.epoch, "history": progress.history}
    with staged(path) as temporary:
        torch.save(facts | {"states": states}, temporary)


def resume(path: Path, digest: str, **parts: Any) -> Progress:
    """Load a checkpoint into the parts; nothing done where there is none.

    Raises UsageError if it belongs to another configuration, InputError if it is damaged.
    """
    if not path.exists():
        return Progress(0, [])
    found = _read(path, "delete it to start anew")
    if found["digest"] != digest:
        reason = "was made with another configuration or other data"
        raise UsageError(f"{path} {reason}", hint="choose another --out, or delete it to start anew")
    for name, part in parts.items():
        part.load_state_dict(found["states"][name])
    return Progress(found["epoch"], found["history"])


@dataclass(frozen=True, slots=True)
class Start:
    """What another training begins with. state: the averaged network's. origin: tells one such start from another."""

    state: dict[str, Tensor]
    origin: str


def start(path: Path) -> Start:
    """The averaged network of a checkpoint, to begin another training with. Raises InputError if there is none."""
    found = _read(path, "give the folder of a run that has this network")
    state = {name.removeprefix("network."): value for name, value in found["states"]["average"].items()}
    return Start(state, f"{found['digest']} {found['epoch']}")


def _read(path: Path, hint: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found["digest"], found["states"]["average"]
    except Exception as error:  # torch fails in a dozen ways on what it has not written
        raise InputError(f"{path} is no checkpoint: {type(error).__name__}", hint=hint) from error
    return found


class Average(nn.Module):
    """An exponential moving average of a network's weights and statistics."""

    def __init__(self, network: nn.Module, copy: nn.Module) -> None:
        super().__init__()
        self.network = copy
        self.network.load_state_dict(network.state_dict())
        self.network.requires_grad_(requires_grad=False).eval()

    @torch.no_grad()
    def update(self, network: nn.Module, keep: float) -> None:
        """Keep `keep` of the average and take the rest from the network; whole numbers are copied."""
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - keep)
            else:
                mine.copy_(theirs)
