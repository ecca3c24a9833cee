"""Labels of attributes, so that a class has one name and one place in a row, whichever model predicts it.

Public for plugins.
"""

from __future__ import annotations

from collections.abc import Sequence

# Attribute -> labels, in the order of documents and tables. A model may predict some of them only.
# emotion: FER2013's order, then what eight-class models (AffectNet's) add.
# race: deepface's words. The impression of a data set's annotators, sorted into six boxes: no fact about a person.
# race7: FairFace's seven boxes (arXiv 1908.04913).
# spoof: a living face, or a print, a screen or a mask before the camera.
LABELS: dict[str, tuple[str, ...]] = {
    "emotion": ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"),
    "gender": ("woman", "man"),
    "race": ("asian", "indian", "black", "white", "middle eastern", "latino hispanic"),
    "race7": (
        *("east asian", "southeast asian", "white", "black"),
        *("latino hispanic", "middle eastern", "indian"),
    ),
    "spoof": ("real", "fake"),
}


def unknown(attribute: str, labels: Sequence[str]) -> list[str]:
    """Return those of the labels that the attribute does not have; none for an attribute that LABELS lacks."""
    permitted = LABELS.get(attribute)
    return [] if permitted is None else [label for label in labels if label not in permitted]


def ordered(attribute: str, labels: Sequence[str]) -> tuple[str, ...]:
    """Return a model's labels in the order of LABELS, and behind them, in their own order, those that are not there."""
    order = LABELS.get(attribute, ())
    return tuple(sorted(labels, key=lambda label: order.index(label) if label in order else len(order)))
