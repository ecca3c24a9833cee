"""facecli's own network of age, gender and race: one run per face, one plugin for each of its answers.

It was trained on FairFace, whose seven boxes for race are its third head. `race` sorts them into the six words of
facecli.labels, `race7` keeps FairFace's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from facecli.contract import AttributePlugin, Bin, Parameters, Preprocessing, Runtime, hookimpl
from facecli.labels import LABELS
from facecli.plugins.crop_model import CropModel, catalogue_entry
from facecli.types import FloatArray, UInt8Array

MODEL = "facecli-traits"
# FairFace's ranges of years, and what each counts as in the mean. With their middles that mean would be drawn to the
# middle, for a child's face and for an old one alike, because a network that is unsure answers with several ranges.
# These have the least squared error on the pictures that the training held out (benchmarks/traits.py --values).
AGES = (
    Bin(0, 3, 1.4),
    Bin(3, 10, 5.9),
    Bin(10, 20, 15.3),
    Bin(20, 30, 24.9),
    Bin(30, 40, 34.5),
    Bin(40, 50, 47.2),
    Bin(50, 60, 54.6),
    Bin(60, 70, 66.0),
    Bin(70, 90, 79.6),
)
GENDERS = ("woman", "man")
# FairFace's words, race7 of facecli.labels, in the order of the network's columns, and the word of race for each.
RACES = {
    "east asian": "asian",
    "southeast asian": "asian",
    "white": "white",
    "black": "black",
    "latino hispanic": "latino hispanic",
    "middle eastern": "middle eastern",
    "indian": "indian",
}
HEADS = {"age": len(AGES), "gender": len(GENDERS), "race": len(RACES)}


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """Yield age, gender, and race by six words and by seven."""
    spec, crop, _ = catalogue_entry(MODEL)

    def described(attribute: str, what: str, labels: tuple[str, ...] = ()) -> AttributePlugin:
        return AttributePlugin(
            name=f"{attribute}/facecli-resnet",
            summary=f"{spec.summary}: {what}",
            attribute=attribute,
            load=load,
            crop=crop,
            labels=labels,
            models=(spec,),
            bins=() if labels else AGES,
            head=attribute,
            floor=FLOORS.get(attribute, 0.0),
        )

    yield described("age", "the age, with its spread")
    yield described("gender", "the gender", GENDERS)
    yield described("race", "the box that annotators would choose, of six", LABELS["race"])
    yield described("race7", "the box that annotators would choose, of FairFace's seven", LABELS["race7"])


# Below it the answer is null: another one is nearly as likely.
FLOORS = {"gender": 0.6, "race": 0.4, "race7": 0.4}


def load(runtime: Runtime, _parameters: Parameters) -> Traits:
    """Return the network of all four plugins."""
    _, _, preprocessing = catalogue_entry(MODEL)
    return Traits(runtime, preprocessing)


class Traits:
    """A network whose outputs are the probabilities of ages, genders and races."""

    def __init__(self, runtime: Runtime, preprocessing: Preprocessing) -> None:
        self._model = CropModel(runtime, MODEL, preprocessing, HEADS["age"])

    def classify(self, crops: UInt8Array) -> Mapping[str, FloatArray]:
        """Return the probabilities of each attribute, (N, columns) float32, for (N, H, W, 3) uint8 RGB crops."""
        heads = (
            self._model.run_all(crops)
            if len(crops)
            else {head: np.zeros((0, width), np.float32) for head, width in HEADS.items()}
        )
        return {
            "age": heads["age"],
            "gender": heads["gender"],
            "race": sorted_into(LABELS["race"], heads["race"]),
            "race7": heads["race"],
        }


def sorted_into(labels: tuple[str, ...], races: FloatArray) -> FloatArray:
    """Return (N, labels) probabilities of (N, 7) of FairFace's boxes; boxes with one label are added up."""
    places = [labels.index(label) for label in RACES.values()]
    rows = np.zeros((len(races), len(labels)), np.float32)
    for column, place in enumerate(places):
        rows[:, place] += races[:, column]
    return rows
