"""One training from its data file to its result, whatever the attribute: the teacher, its answers, the student."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facecli.errors import FacecliError, InputError, UsageError
from facecli.models.training import augment, checkpoint, distil, engine, published
from facecli.models.training import config as configuration
from facecli.models.training.checkpoint import Start
from facecli.models.training.config import Config, Stage
from facecli.models.training.distil import Teacher
from facecli.models.training.engine import CHECKPOINT, Examples
from facecli.models.training.networks import build_residual
from facecli.models.training.published import Answer
from facecli.system.files import sha256_of, write_bytes

NETWORKS: dict[str, Callable[..., nn.Module]] = {"residual": build_residual}


@dataclass(frozen=True, slots=True)
class Data:
    """What a data file has for a training.

    settle: the finished network's logits for the held-out pictures -> the answer, and facts for calibration.json.
    """

    learned: Examples
    held: Examples
    settle: Callable[[Tensor], tuple[Answer, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Task:
    """What the training of an attribute has of its own. name: of the command's module and of its result's file.

    read: the data file and the configuration -> Data. data: what the file is, for --help. config: the default recipe.
    """

    name: str
    read: Callable[[Path, Config], Data]
    data: str
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How a training runs, not what it learns. start: the folder of a run whose networks it begins with.

    compiled, learn: as in engine.Run.
    """

    device: str = "cpu"
    start: Path | None = None
    compiled: bool = False
    learn: bool = True
    say: engine.Say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: T201 # progress


def main(task: Task, arguments: Sequence[str] | None = None) -> int:
    """The command of a task: train, or go on where an earlier run ended. Exit codes are facecli's."""
    parser = argparse.ArgumentParser(
        prog=f"python -m facecli.models.training.{task.name}",
        description=f"Trains a network for {task.name}, or goes on where an earlier run ended.",
    )
    told = f"[default: {task.config.name} beside this module]" if task.config else ""
    parser.add_argument("--data", type=Path, required=True, help=task.data)
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints, logs and the result")
    parser.add_argument("--config", type=Path, required=not task.config, default=task.config, help=f"recipe  {told}")
    parser.add_argument(
        "--from", dest="start", type=Path, help="earlier run to begin with, if not the recipe's `after`"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of PyTorch")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where PyTorch computes")
    parser.add_argument("--compile", action="store_true", help="through torch.compile: faster; needs a C++ compiler")
    parser.add_argument("--as-it-is", action="store_true", help="learn no more: write what the checkpoint has")
    given = parser.parse_args(arguments)
    torch.set_num_threads(max(given.threads, 1))
    how = How(given.device, given.start, given.compile, not given.as_it_is)
    try:
        config = configuration.read(given.config)
        print(f"wrote {run(task, config, given.data, given.out, how)}")  # noqa: T201 # the result, on stdout
    except FacecliError as error:
        how.say(str(error))
        return error.exit_code
    return 0


def run(task: Task, config: Config, data: Path, out: Path, how: How) -> Path:
    """Train the teacher if there is one, then the student; returns the file of the student, averaged and calibrated.

    What the recipe comes after is run before, into a folder of its own, unless `how` says what to start with.
    """
    if how.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch finds no CUDA device here", hint="--device cpu")
    if config.after and not how.start:
        before = out / "before"
        if not before.exists() and any((out / name / CHECKPOINT).exists() for name in config.stages):
            raise UsageError(f"{out} did not begin with {before}", hint="give the same --from as when it began")
        run(task, config.after, data, before, how)
        how = replace(how, start=before)
    found = task.read(data, config)
    how.say(f"{len(found.learned)} pictures to learn from, {len(found.held)} held out of the same split")
    starts = {name: checkpoint.start(how.start / name / CHECKPOINT) for name in config.stages} if how.start else {}
    training = _Training(config, found, sha256_of(data), out, how, starts)
    soften = training.taught() if how.learn else None
    network = training.network("student", config.student, training.student_digest(), soften)
    answer, facts = found.settle(engine.predict(network, found.held.pixels, config.student))
    result = out / f"{task.name}.pt"
    published.write(result, network, config.student.options, config.student.side, answer)
    facts = {"held_out": len(found.held), "temperature": answer.temperature} | facts
    write_bytes(out / "calibration.json", (json.dumps(facts, indent=1) + "\n").encode())
    return result


@dataclass(frozen=True, slots=True)
class _Training:
    """What the networks of one training share. sha256: the data file's. starts: what a stage's network begins with."""

    config: Config
    data: Data
    sha256: str
    out: Path
    how: How
    starts: Mapping[str, Start]

    def __post_init__(self) -> None:
        heads, wanted = list(self.data.learned.targets), list(self.config.heads)
        if heads != wanted:
            raise UsageError(f"the data has the heads {', '.join(heads)}; [heads] has {', '.join(wanted)}")
        if not len(self.data.held):
            raise InputError(f"not one of {len(self.data.learned)} pictures is held out", hint="a larger holdout")
        if self.config.distillation and self.config.distillation.earlier and not self.how.start:
            raise UsageError("distillation.earlier needs a run to begin with", hint="the key after, or --from")

    def taught(self) -> Callable[[int, Tensor], Tensor] | None:
        """The student's targets from its teachers, which are trained and asked for them; None where it has none."""
        config = self.config
        if config.teacher is None or config.distillation is None:
            return None
        digest = self.digest("teacher", config.teacher)
        teachers = [Teacher(partial(self.network, "teacher", config.teacher, digest), config.teacher)]
        views = configuration.digest(config.student.augmentation, digest)
        for name in config.distillation.earlier:
            stage = config.stages[name]
            teachers.append(Teacher(partial(self.built, name, stage), stage))
            views = configuration.digest(stage, views, self.origin(name))
        return distil.ask(teachers, config, self.data.learned, self.out / "views", views, self.how.device, self.how.say)

    def student_digest(self) -> str:
        """What the student's checkpoint belongs to."""
        config = self.config
        taught = self.digest("teacher", config.teacher) if config.teacher else None
        return self.digest("student", config.student, taught, config.distillation)

    def digest(self, name: str, stage: Stage, *others: object) -> str:
        """What the checkpoints of this stage belong to."""
        config = self.config
        common = config.seed, config.holdout, dict(config.heads), config.from_votes, self.sha256
        return configuration.digest(stage, *common, *others, *self.origin(name))

    def origin(self, name: str) -> tuple[str, ...]:
        """What tells the network that a stage begins with from others; nothing for one that begins anew."""
        return (self.starts[name].origin,) if name in self.starts else ()

    def network(
        self, name: str, stage: Stage, digest: str, soften: Callable[[int, Tensor], Tensor] | None = None
    ) -> nn.Module:
        """A stage's network, learned to its end or as far as it is."""
        how = self.how
        if not how.learn and not (self.out / name / CHECKPOINT).exists():
            raise InputError(f"{self.out} has no checkpoint of the {name}", hint="train it first, without --as-it-is")
        settings = engine.Run(
            self.out / name,
            digest,
            self.config.seed,
            self.config.heads,
            how.device,
            partial(_told, how.say, name),
            how.compiled,
            how.learn,
        )
        make = partial(self.built, name, stage)
        return engine.train(make, stage, self.data.learned, self.data.held, settings, soften)

    def built(self, name: str, stage: Stage) -> nn.Module:
        """A stage's network as its learning begins. Raises UsageError where its options, side and start do not fit."""
        if stage.network not in NETWORKS:
            raise UsageError(f"there is no network {stage.network!r}", hint=f"there is {', '.join(NETWORKS)}")
        network = NETWORKS[stage.network](sum(t.shape[1] for t in self.data.learned.targets.values()), **stage.options)
        if name in self.starts:
            try:
                network.load_state_dict(self.starts[name].state)
            except RuntimeError as error:
                told = f"the earlier {name} has other layers than the recipe's"
                raise UsageError(told, hint="--from needs a run with the same options") from error
        try:
            network.eval()(augment.plain(engine.as_input(self.data.held.pixels[:1]), stage.side))
        except RuntimeError as error:
            told = f"the {name}'s options do not fit a side of {stage.side} or the pictures"
            raise UsageError(f"{told}: {str(error).splitlines()[0]}") from error
        return network


def _told(say: engine.Say, name: str, text: str) -> None:
    say(f"{name}: {text}")
