"""The optimizer of a network, and its learning rate at each step."""

from __future__ import annotations

import math

import torch
from torch import nn

from facecli.models.training.config import Schedule


def build_optimizer(network: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """Return the schedule's optimizer for the parameters of a network that learn.

    Only matrices and kernels decay. Each group has the key `factor`, which multiplies the rate: `head_rate` for the
    parameters of the module `head`, 1 for all others.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((parameter.ndim > 1, name.startswith("head.")), []).append(parameter)
    tables = [
        {
            "params": parameters,
            "weight_decay": schedule.weight_decay if decays else 0.0,
            "factor": schedule.head_rate if head else 1.0,
        }
        for (decays, head), parameters in groups.items()
    ]
    if schedule.optimizer == "adamw":
        return torch.optim.AdamW(tables, lr=schedule.rate)
    return torch.optim.SGD(tables, lr=schedule.rate, momentum=0.9, nesterov=True)


def set_rate(optimizer: torch.optim.Optimizer, peak: float, part: float) -> None:
    """Set the learning rate of every group to its factor times `part` of the peak rate."""
    for group in optimizer.param_groups:
        group["lr"] = peak * group["factor"] * part


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Return the part of the peak rate at a step: up in a line for the part `warmup` of the steps, then down a cosine.

    The cosine ends at nothing (arXiv 1608.03983).
    """
    rising = warmup * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1)))
