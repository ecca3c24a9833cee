"""FER2013 with the votes of FER+ (arXiv 1307.0414, arXiv 1608.01041), in one .npz file without pickled objects.

Its arrays: pixels (N, 48, 48) uint8 grey; label (N,) index into label_names; votes (N, 10), how many of the ten taggers
chose each of vote_names; split (N,) index into split_names. `fer2013_csv` writes such a file.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from facecli.errors import InputError
from facecli.models.training.engine import Examples
from facecli.types import FloatArray, UInt8Array

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
# FER+'s names of these seven, in the order of LABELS, and the other choices of a tagger.
VOTES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
OTHERS = ("contempt", "unknown", "not_face")
SPLITS = ("Training", "PublicTest")
SIDE = 48  # px
_KEYS = ("pixels", "label", "label_names", "votes", "vote_names", "split", "split_names")


@dataclass(frozen=True, slots=True)
class Faces:
    """Pictures with both kinds of labels.

    pixels: (N, 48, 48) uint8 grey. label: (N,) FER2013's, indices into LABELS. votes: (N, 7), numbers of taggers for
    each of VOTES. others: (N, 3), for each of OTHERS.
    """

    pixels: UInt8Array
    label: NDArray[np.int64]
    votes: NDArray[np.int64]
    others: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pixels)

    def only(self, rows: NDArray[np.bool_]) -> Faces:
        """Return the pictures where `rows`, (N,), is True."""
        return Faces(self.pixels[rows], self.label[rows], self.votes[rows], self.others[rows])


def read(path: Path) -> dict[str, Faces]:
    """Return split name -> its pictures, in the file's order. Raises InputError for a file of other arrays."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in _KEYS}
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror or error}") from error
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no FER2013 .npz: {error}", hint=f"it needs {', '.join(_KEYS)}") from error
    names = [str(name) for name in arrays["vote_names"]]
    if tuple(map(str, arrays["label_names"])) != LABELS or {*VOTES, *OTHERS} != set(names):
        raise InputError(f"{path} has other classes than {', '.join(LABELS)}")
    if arrays["pixels"].shape[1:] != (SIDE, SIDE) or arrays["pixels"].dtype != np.uint8:
        raise InputError(f"{path}: pixels must be (N, {SIDE}, {SIDE}) uint8")
    votes = arrays["votes"].astype(np.int64)
    if arrays["label"].max(initial=0) >= len(LABELS):
        raise InputError(f"{path}: a label is {arrays['label'].max()}, the last is {len(LABELS) - 1}")
    if not set(SPLITS) <= set(map(str, arrays["split_names"])):
        raise InputError(f"{path} has not the splits {', '.join(SPLITS)}")
    seven, others = (votes[:, [names.index(name) for name in columns]] for columns in (VOTES, OTHERS))
    every = Faces(arrays["pixels"], arrays["label"].astype(np.int64), seven, others)
    return {str(name): every.only(arrays["split"] == index) for index, name in enumerate(arrays["split_names"])}


def examples(faces: Faces, from_votes: float = 0.0) -> Examples:
    """Return pictures with two heads of targets: "fer2013", its labels, and "ferplus", the `shares` of the votes.

    from_votes: the part of a label's target that is `likely_labels`; the rest is one-hot.
    """
    labels = np.eye(len(LABELS), dtype=np.float32)[faces.label]
    if from_votes:
        labels = labels * (1 - from_votes) + likely_labels(faces) * from_votes
    return Examples(faces.pixels, {"fer2013": labels, "ferplus": shares(faces)})


def likely_labels(faces: Faces) -> FloatArray:
    """Return (N, 7) float32: how often FER2013 gives each label to pictures with such votes.

    This is a multinomial logistic regression on the square roots of the shares, fitted to these pictures. Why: a single
    label is noisy (it agrees with the likeliest vote on 65 % of the pictures), an average over similar pictures is not.
    """
    features = torch.from_numpy(np.sqrt(shares(faces)))
    layer = torch.nn.Linear(len(LABELS), len(LABELS))
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(layer(features), torch.from_numpy(faces.label))
        value.backward()  # type: ignore[no-untyped-call] # torch does not say
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.inference_mode():
        return np.asarray(layer(features).softmax(1).numpy(), np.float32)


def shares(faces: Faces) -> FloatArray:
    """Return (N, 7) float32: the part of the votes for each of the seven classes; equal parts if none has a vote."""
    total = faces.votes.sum(1, keepdims=True)
    even = np.full(faces.votes.shape, 1 / len(LABELS))
    return np.where(total > 0, faces.votes / np.maximum(total, 1), even).astype(np.float32)


def plurality(faces: Faces) -> NDArray[np.bool_]:
    """Return (N,): True where one of the seven classes has the most votes, alone, and more than any of OTHERS."""
    most = faces.votes.max(1)
    return np.asarray((most > faces.others.max(1)) & ((faces.votes == most[:, None]).sum(1) == 1))


def majority(faces: Faces) -> NDArray[np.bool_]:
    """Return (N,): True where one of the seven classes has more than half of the votes, single votes not counted.

    This is the rule of FER+'s authors (arXiv 1608.01041 and the reader in github.com/microsoft/FERPlus), who drop
    single votes as outliers.
    """
    kept = np.where(faces.votes > 1, faces.votes, 0)
    others = np.where(faces.others > 1, faces.others, 0)
    return np.asarray(kept.max(1) * 2 > kept.sum(1) + others.sum(1))
