"""Training of the emotion model: `python -m facecli.models.training.emotion --data fer2013.npz --out FOLDER`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from facecli.errors import UsageError
from facecli.models.training import calibrate, fer2013, program, splits
from facecli.models.training.config import Config
from facecli.models.training.fer2013 import Faces
from facecli.models.training.published import Answer
from facecli.models.training.run import Task, TrainingData


def read(path: Path, config: Config) -> TrainingData:
    """Return the pictures of FER2013's Training split, a part of them held out. Raises InputError for another file."""
    if config.answer != "probabilities":
        raise UsageError(f"emotions have no {config.answer}", hint='answer = "probabilities"')
    learned, held_out = split(fer2013.read(path), config.holdout)
    return TrainingData(
        fer2013.examples(learned, config.from_votes),
        fer2013.examples(held_out),
        partial(_calibrate, held_out, config.share),
    )


def split(every: Mapping[str, Faces], holdout: float) -> tuple[Faces, Faces]:
    """Split Training in two: pictures to learn from, and the part `holdout` of it. every: split name -> pictures.

    Pictures that PublicTest has as well are left out, and from the second part those that have a near copy in the
    first: they would flatter the network.
    """
    training = every["Training"]
    training = training.only(~splits.exact_copies(training.pixels, every["PublicTest"].pixels))
    kept = splits.held_out(training.pixels, holdout)
    learned, held_out = training.only(~kept), training.only(kept)
    return learned, held_out.only(~splits.near_copies(held_out.pixels, learned.pixels))


def _calibrate(held_out: Faces, share: float, logits: Tensor) -> tuple[Answer, dict[str, Any]]:
    return calibrate.choose(logits, held_out, share), {"shares": calibrate.shares(logits, held_out)}


RECIPE = Path(__file__).with_suffix(".toml")
TASK = Task("emotion", read, "FER2013 with FER+'s votes, an .npz file", RECIPE)

if __name__ == "__main__":
    raise SystemExit(program.main(TASK))
