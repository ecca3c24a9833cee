"""The loss of networks with one or more heads, and the figures of an epoch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional


class Loss:
    """Cross-entropy with soft targets, summed over heads that lie side by side in the logits.

    weights: of each head. widths: the number of classes of each head.
    """

    def __init__(self, weights: list[float], widths: list[int]) -> None:
        self.weights, self.widths = weights, widths

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss, one number, of (N, outputs) logits and targets; a head's targets sum to 1."""
        total = torch.zeros((), device=logits.device)
        heads = zip(
            self.weights, logits.split_with_sizes(self.widths, 1), targets.split_with_sizes(self.widths, 1), strict=True
        )
        for weight, logit, target in heads:
            total = total + weight * functional.cross_entropy(logit, target)
        return total


def figures(logits: Tensor, targets: Mapping[str, Tensor], loss: Loss) -> dict[str, float]:
    """Return the loss on a validation set, and for each head the part of the pictures whose likeliest class is right.

    logits: (N, outputs). targets: head -> (N, classes).
    """
    row = {"loss": float(loss(logits, torch.cat([*targets.values()], 1)))}
    heads = logits.split_with_sizes(loss.widths, 1)
    for (name, target), logit in zip(targets.items(), heads, strict=True):
        row[f"accuracy_{name}"] = float((logit.argmax(1) == target.argmax(1)).float().mean())
    return row
