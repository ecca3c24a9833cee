"""Trains the emotion model: `python -m facecli.models.training.emotion --data fer2013.npz --out FOLDER`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import nn

from facecli.errors import FacecliError, UsageError
from facecli.files import write_bytes
from facecli.models.training import calibrate, distil, engine, fer2013, published
from facecli.models.training import config as configuration
from facecli.models.training.config import Config, Stage
from facecli.models.training.networks import build_residual

CONFIG = Path(__file__).with_suffix(".toml")
OUTPUTS = 2 * len(fer2013.LABELS)
NETWORKS: dict[str, Callable[..., nn.Module]] = {"residual": build_residual}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or go on where an earlier run ended. Exit codes are facecli's; errors are one line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m facecli.models.training.emotion", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="FER2013 with FER+'s votes, an .npz file")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints, logs and the result")
    parser.add_argument("--config", type=Path, default=CONFIG, help="recipe  [default: the one beside this module]")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of PyTorch")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where PyTorch computes")
    parser.add_argument("--as-it-is", action="store_true", help="learn no more: write what the checkpoint has")
    given = parser.parse_args(arguments)
    torch.set_num_threads(max(given.threads, 1))
    try:
        config = configuration.read(given.config)
        print(f"wrote {run(config, given.data, given.out, given.device, _say, learn=not given.as_it_is)}")  # noqa: T201 # the result, on stdout
    except FacecliError as error:
        _say(str(error))
        return error.exit_code
    return 0


def run(config: Config, data: Path, out: Path, device: str, say: engine.Say, *, learn: bool = True) -> Path:
    """Train the teacher if there is one, then the student; returns the file of the student, averaged and calibrated.

    learn: False writes the student as far as an earlier run has come.
    """
    for stage in filter(None, (config.teacher, config.student)):
        if stage.network not in NETWORKS:
            raise UsageError(f"there is no network {stage.network!r}", hint=f"there is {', '.join(NETWORKS)}")
    splits = fer2013.read(data)
    training = fer2013.without(splits["Training"], splits["PublicTest"])
    kept = fer2013.held_out(training, config.holdout)
    train, validation = fer2013.examples(training.only(~kept)), fer2013.examples(training.only(kept))
    say(f"{len(train)} pictures to learn from, {len(validation)} held out of the same split")
    stages: dict[str, tuple[Stage, str]] = {}
    common = (config.seed, config.holdout, dict(config.heads), data.stat().st_size)
    if config.teacher:
        stages["teacher"] = config.teacher, configuration.digest(config.teacher, *common)
    taught = (stages["teacher"][1], config.distillation) if config.distillation else ()
    stages["student"] = config.student, configuration.digest(config.student, *common, *taught)

    def trained(name: str, soften: Callable[[int, torch.Tensor], torch.Tensor] | None = None) -> nn.Module:
        stage, digest = stages[name]
        told = partial(_told, say, name)
        settings = engine.Run(out / name, digest, config.seed, config.heads, device, told, learn)
        make = partial(NETWORKS[stage.network], OUTPUTS, **stage.options)
        return engine.train(make, stage, train, validation, settings, soften)

    soften = None
    if config.distillation and learn:
        assert config.teacher is not None
        digest = configuration.digest(config.teacher, *common, config.student.augmentation)
        soften = distil.ask(partial(trained, "teacher"), config, train, out / "views", digest, device, say)
    network = trained("student", soften)
    held = training.only(kept)
    logits = engine.predict(network, held.pixels, config.student)
    answer = calibrate.choose(logits, held, config.share)
    published.write(out / "emotion.pt", network, config.student.options, config.student.side, answer)
    facts = {"held_out": len(held), "temperature": answer.temperature, "shares": calibrate.shares(logits, held)}
    write_bytes(out / "calibration.json", (json.dumps(facts, indent=1) + "\n").encode())
    return out / "emotion.pt"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 # progress


def _told(say: engine.Say, name: str, text: str) -> None:
    say(f"{name}: {text}")


if __name__ == "__main__":
    raise SystemExit(main())
