"""The labels that attributes have, so that a class has one name whatever model tells it; public for plugins."""

from __future__ import annotations

from collections.abc import Sequence

# In the order that answers are shown in. A model need not know all of an attribute's labels.
# emotion: FER2013's order, then what eight-class models (AffectNet's) add.
# race: deepface's words. What annotators of a data set saw in a face, put into six boxes: no fact about a person.
# spoof: whether the camera saw a living face, or a print, a screen or a mask.
LABELS: dict[str, tuple[str, ...]] = {
    "emotion": ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"),
    "gender": ("woman", "man"),
    "race": ("asian", "indian", "black", "white", "middle eastern", "latino hispanic"),
    "spoof": ("real", "fake"),
}


def unknown(attribute: str, labels: Sequence[str]) -> list[str]:
    """The labels that the attribute does not have; none for an attribute that is not known here, or a regression."""
    known = LABELS.get(attribute)
    return [] if known is None else [label for label in labels if label not in known]


def ordered(attribute: str, labels: Sequence[str]) -> tuple[str, ...]:
    """A model's labels in the order that they are shown in, whatever the order of its columns."""
    known = LABELS.get(attribute, ())
    return tuple(sorted(labels, key=lambda label: known.index(label) if label in known else len(known)))
