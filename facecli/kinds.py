"""The kinds of plugins, distances and looks at a picture, as entry points, options and descriptions name them.

They stand outside the contract, so that finding plugins and `--help` need not import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Kind = Literal["detectors", "recognizers", "attributes", "trackers", "recipes", "engines", "commands"]
KINDS: tuple[Kind, ...] = get_args(Kind)  # the entry-point group of a kind is facecli.KIND

# One plugin of a kind, in messages.
NOUNS: Mapping[Kind, str] = {
    "detectors": "detector",
    "recognizers": "recognizer",
    "attributes": "attribute model",
    "trackers": "tracker",
    "recipes": "export recipe",
    "engines": "engine",
    "commands": "command",
}

ModelKind = Literal["detector", "recognizer", "attribute", "weights"]
# ModelSpec.kind -> the plugins that run such a model. No plugin runs "weights": they are only exported.
MODEL_KINDS: Mapping[ModelKind, Kind] = {
    "detector": "detectors",
    "recognizer": "recognizers",
    "attribute": "attributes",
}

# Distances between embeddings a and b, 0 for equal ones. cosine: 1 - their cosine similarity. euclidean: length of
# a - b. euclidean_l2: length of a - b after both are scaled to length 1. angular: their angle divided by pi.
Metric = Literal["cosine", "euclidean", "euclidean_l2", "angular"]
METRICS: tuple[Metric, ...] = get_args(Metric)
# An operating point may also be stated in the distance of facecli.matching.cohort, which takes the strangers of that
# point.
PointMetric = Literal[Metric, "cohort"]
COHORT: PointMetric = "cohort"

# Whether to look for faces in a picture as it is, or in its four turns.
Rotation = Literal["never", "auto"]
ROTATIONS: tuple[Rotation, ...] = get_args(Rotation)
