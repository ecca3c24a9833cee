"""Calibration of the emotion model on FER2013's held-out pictures: temperatures, and the effect of the share."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from facecli.models.training import fer2013, measure
from facecli.models.training.fer2013 import Faces
from facecli.models.training.published import Answer, answer_from, heads_from

HEADS = dict.fromkeys(("fer2013", "ferplus"), len(fer2013.LABELS))
_SHARES = tuple(round(0.05 * step, 2) for step in range(21))


def choose(logits: Tensor, faces: Faces, share: float) -> Answer:
    """Return the answer with the temperatures of the least cross-entropy on these pictures. logits: (N, 14).

    The answer and the first head are fitted to FER2013's labels, the second head to FER+'s majority.
    """
    plain = Answer(heads=HEADS, share=share)
    labels, votes = (head.numpy() for head in heads_from(logits, plain))
    rows = fer2013.majority(faces)
    temperatures = {"fer2013": measure.best_temperature(labels, faces.label)}
    if rows.any():  # a very small split has no majority left
        temperatures["ferplus"] = measure.best_temperature(votes[rows], faces.votes.argmax(1)[rows])
    best = measure.best_temperature(answer_from(logits, plain).numpy(), faces.label)
    return Answer(heads=HEADS, share=share, temperature=best, temperatures=temperatures)


def shares(logits: Tensor, faces: Faces) -> list[dict[str, float | None]]:
    """Return, for each share of the labels' head in the answer, its figures. logits: (N, 14)."""
    rows = []
    for share in _SHARES:
        probabilities = answer_from(logits, Answer(heads=HEADS, share=share)).numpy()
        rows.append({"share": share, **figures(probabilities, faces)})
    return rows


def figures(probabilities: measure.Numbers, faces: Faces) -> dict[str, float | None]:
    """Return the accuracy of (N, 7) probabilities on FER2013's labels, on FER+'s majority and on FER+'s plurality.

    None: the split is so small that no picture is left.
    """
    voted = faces.votes.argmax(1)
    accuracies: dict[str, float | None] = {"fer2013": measure.accuracy(probabilities, faces.label)}
    for name, rows in (("majority", fer2013.majority(faces)), ("plurality", fer2013.plurality(faces))):
        accuracies[name] = measure.accuracy(probabilities[rows], voted[rows]) if np.any(rows) else None
    return accuracies
