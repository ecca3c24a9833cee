"""Trains the emotion model: `python -m facecli.models.training.emotion --data fer2013.npz --out FOLDER`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from facecli.errors import UsageError
from facecli.models.training import calibrate, fer2013, run, splits
from facecli.models.training.config import Config
from facecli.models.training.fer2013 import Faces
from facecli.models.training.published import Answer


def read(path: Path, config: Config) -> run.Data:
    """FER2013's Training split as it is learned from and held out. Raises InputError for another file."""
    if config.answer != "probabilities":
        raise UsageError(f"emotions have no {config.answer}", hint='answer = "probabilities"')
    learned, held = split(fer2013.read(path), config.holdout)
    return run.Data(
        fer2013.examples(learned, config.from_votes), fer2013.examples(held), partial(_settle, held, config.share)
    )


def split(every: Mapping[str, Faces], holdout: float) -> tuple[Faces, Faces]:
    """Training, without the pictures that PublicTest has as well: what is learned from, and what is held out.

    Of the latter those go that have a near copy among the former: they would flatter the network.
    """
    training = every["Training"]
    training = training.only(~splits.known(training.pixels, every["PublicTest"].pixels))
    kept = splits.held_out(training.pixels, holdout)
    learned, held = training.only(~kept), training.only(kept)
    return learned, held.only(~splits.near(held.pixels, learned.pixels))


def _settle(held: Faces, share: float, logits: Tensor) -> tuple[Answer, dict[str, Any]]:
    return calibrate.choose(logits, held, share), {"shares": calibrate.shares(logits, held)}


CONFIG = Path(__file__).with_suffix(".toml")
TASK = run.Task("emotion", read, "FER2013 with FER+'s votes, an .npz file", CONFIG)

if __name__ == "__main__":
    raise SystemExit(run.main(TASK))
