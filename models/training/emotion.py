"""Trains the emotion model: `python -m facecli.models.training.emotion --data fer2013.npz --out FOLDER`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from facecli.models.training import calibrate, fer2013, run, splits
from facecli.models.training.config import Config
from facecli.models.training.fer2013 import Faces
from facecli.models.training.published import Answer


def read(path: Path, config: Config) -> run.Data:
    """FER2013's Training split, without the pictures that PublicTest has as well."""
    every = fer2013.read(path)
    training, public = every["Training"], every["PublicTest"]
    training = training.only(~splits.known(training.pixels, public.pixels))
    kept = splits.held_out(training.pixels, config.holdout)
    held = training.only(kept)
    learned = fer2013.examples(training.only(~kept))
    return run.Data(learned, fer2013.examples(held), partial(_settle, held, config.share))


def _settle(held: Faces, share: float, logits: Tensor) -> tuple[Answer, dict[str, Any]]:
    return calibrate.choose(logits, held, share), {"shares": calibrate.shares(logits, held)}


TASK = run.Task("emotion", read, "FER2013 with FER+'s votes, an .npz file", Path(__file__).with_suffix(".toml"))

if __name__ == "__main__":
    raise SystemExit(run.main(TASK))
