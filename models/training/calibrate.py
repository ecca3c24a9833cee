"""What is decided with the held-out pictures once the network has learned: the temperature; and what the share does."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from facecli.models.training import fer2013, measure
from facecli.models.training.fer2013 import Faces
from facecli.models.training.published import Answer, answered

_SHARES = tuple(round(0.1 * step, 1) for step in range(11))


def choose(logits: Tensor, faces: Faces, share: float) -> Answer:
    """The answer with the temperature that fits FER2013's labels of these pictures best. logits: (N, 14)."""
    plain = answered(logits, Answer(share, 1.0)).numpy()
    return Answer(share, round(measure.best_temperature(plain, faces.label), 4))


def shares(logits: Tensor, faces: Faces) -> list[dict[str, float]]:
    """For each share of the labels' head in the answer: the accuracy on FER2013's labels and on FER+'s majority."""
    rows = []
    for share in _SHARES:
        probabilities = answered(logits, Answer(share, 1.0)).numpy()
        rows.append({"share": share} | figures(probabilities, faces))
    return rows


def figures(probabilities: measure.Numbers, faces: Faces) -> dict[str, Any]:
    """The accuracy on FER2013's labels, on FER+'s majority (its authors' rule) and on FER+'s plurality."""
    voted = faces.votes.argmax(1)
    found: dict[str, Any] = {"fer2013": measure.accuracy(probabilities, faces.label)}
    for name, rows in (("majority", fer2013.majority(faces)), ("plurality", fer2013.plurality(faces))):
        # A split so small that no picture is left has no figure.
        found[name] = measure.accuracy(probabilities[rows], voted[rows]) if np.any(rows) else None
    return found
