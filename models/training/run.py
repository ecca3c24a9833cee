"""One training from its data file to its result, for any attribute: the teacher, its answers, the student."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facecli.errors import InputError, UsageError
from facecli.models.training import architectures, augment, checkpoint, config, distil, engine, published
from facecli.models.training.checkpoint import Start
from facecli.models.training.config import Config, Stage
from facecli.models.training.distil import Answers, Teacher
from facecli.models.training.engine import CHECKPOINT, Examples, Report, Targets
from facecli.models.training.published import Answer
from facecli.models.training.trunk import Trunk, begin_with_dlib
from facecli.system.files import sha256_of, write_bytes

_BEGINNING = 512  # pictures whose statistics a network begins with


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The content of a data file.

    learned: pictures to learn from. held_out: pictures to calibrate with. calibrate: the finished network's logits for
    the held-out pictures -> the answer, and facts for calibration.json.
    """

    learned: Examples
    held_out: Examples
    calibrate: Callable[[Tensor], tuple[Answer, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Task:
    """The training of one attribute.

    name: of the module that is started, and of the result's file. read: (data file, configuration) -> its content.
    data: what the data file is, for --help. recipe: the default recipe, a TOML file.
    """

    name: str
    read: Callable[[Path, Config], TrainingData]
    data: str
    recipe: Path | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The circumstances of a training, which do not change what it learns.

    device: cpu or cuda. start: the folder of a run whose networks it begins with. compiled, learn: as in StageRun.
    report: receives lines about the progress.
    """

    device: str = "cpu"
    start: Path | None = None
    compiled: bool = False
    learn: bool = True
    report: Report = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: T201 # progress


def run(task: Task, recipe: Config, data: Path, out: Path, options: RunOptions) -> Path:
    """Train the teacher if there is one, then the student; return the file of the student, averaged and calibrated.

    out: the folder of checkpoints, logs and the result. The recipe's `after` is run before, into a folder of its own,
    unless the options name a run to begin with. Raises UsageError, InputError and OutputError.
    """
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UsageError("PyTorch finds no CUDA device here", hint="--device cpu")
    if recipe.after and not options.start:
        before = out / "before"
        if not before.exists() and any((out / name / CHECKPOINT).exists() for name in recipe.stages):
            raise UsageError(f"{out} did not begin with {before}", hint="give the same --from as when it began")
        run(task, recipe.after, data, before, options)
        options = replace(options, start=before)
    content = task.read(data, recipe)
    learned, held_out = content.learned, content.held_out
    options.report(f"{len(learned)} pictures to learn from, {len(held_out)} held out of the same split")
    training = _Training(recipe, content, sha256_of(data), out, options, _starts(recipe, options.start))
    soften = training.softened_targets() if options.learn else None
    student = training.network("student", recipe.student, training.student_digest(), soften)
    answer, facts = content.calibrate(engine.predict(student, held_out.pixels, recipe.student))
    result = out / f"{task.name}.pt"
    published.write(result, student, recipe.student, answer)
    facts = {"held_out": len(held_out), "temperature": answer.temperature} | facts
    write_bytes(out / "calibration.json", (json.dumps(facts, indent=1) + "\n").encode())
    return result


def _starts(recipe: Config, folder: Path | None) -> dict[str, Start]:
    """Return the networks of an earlier run in a folder, by stage; none without a folder."""
    return {name: checkpoint.start(folder / name / CHECKPOINT) for name in recipe.stages} if folder else {}


@dataclass(frozen=True, slots=True)
class _Training:
    """A training, shared by its networks. sha256: the data file's. starts: stage -> the network it begins with."""

    recipe: Config
    data: TrainingData
    sha256: str
    out: Path
    options: RunOptions
    starts: Mapping[str, Start]

    def __post_init__(self) -> None:
        heads, stated = list(self.data.learned.targets), list(self.recipe.heads)
        if heads != stated:
            raise UsageError(f"the data has the heads {', '.join(heads)}; [heads] has {', '.join(stated)}")
        if not len(self.data.held_out):
            raise InputError(f"not one of {len(self.data.learned)} pictures is held out", hint="a larger holdout")
        distillation = self.recipe.distillation
        if distillation and distillation.earlier and not self.options.start:
            raise UsageError("distillation.earlier needs a run to begin with", hint="the key after, or --from")

    def softened_targets(self) -> Targets | None:
        """Train the teachers, and return the student's targets by their answers; None if it has no teacher."""
        recipe = self.recipe
        if recipe.teacher is None or recipe.distillation is None:
            return None
        digest = self.digest("teacher", recipe.teacher)
        teachers = [Teacher(partial(self.network, "teacher", recipe.teacher, digest), recipe.teacher)]
        views = config.digest(recipe.student.augmentation, digest)
        for name in recipe.distillation.earlier:
            stage = recipe.stages[name]
            teachers.append(Teacher(partial(self.beginning, name, stage), stage))
            views = config.digest(stage, views, self.origin(name))
        answers = Answers(self.out / "views", views)
        options = self.options
        return distil.softened_targets(teachers, recipe, self.data.learned, answers, options.device, options.report)

    def student_digest(self) -> str:
        """Return the digest of all that the student's checkpoint depends on."""
        recipe = self.recipe
        teacher = self.digest("teacher", recipe.teacher) if recipe.teacher else None
        return self.digest("student", recipe.student, teacher, recipe.distillation)

    def digest(self, name: str, stage: Stage, *others: object) -> str:
        """Return the digest of all that a stage's checkpoint depends on, `others` included."""
        recipe = self.recipe
        common = recipe.seed, recipe.holdout, dict(recipe.heads), recipe.from_votes, self.sha256
        return config.digest(stage, *common, *others, *self.origin(name))

    def origin(self, name: str) -> tuple[str, ...]:
        """Return the origin of the network that a stage begins with; () for one that begins with random weights."""
        return (self.starts[name].origin,) if name in self.starts else ()

    def network(self, name: str, stage: Stage, digest: str, soften: Targets | None = None) -> nn.Module:
        """Return a stage's network, learned to its end or, without learning, as far as its checkpoint is."""
        options = self.options
        if not options.learn and not (self.out / name / CHECKPOINT).exists():
            raise InputError(f"{self.out} has no checkpoint of the {name}", hint="train it first, without --as-it-is")
        stage_run = engine.StageRun(
            self.out / name,
            digest,
            self.recipe.seed,
            self.recipe.heads,
            options.device,
            lambda text: options.report(f"{name}: {text}"),
            options.compiled,
            options.learn,
        )
        make = partial(self.beginning, name, stage)
        return engine.train(make, stage, self.data.learned, self.data.held_out, stage_run, soften)

    def beginning(self, name: str, stage: Stage) -> nn.Module:
        """Return a stage's network as its learning begins. Raises UsageError if its options, side and start misfit."""
        network = architectures.build(stage.network, sum(self.data.learned.widths), stage.options)
        if name in self.starts:
            try:
                network.load_state_dict(self.starts[name].state)
            except RuntimeError as error:
                message = f"the earlier {name} has other layers than the recipe's"
                raise UsageError(message, hint="--from needs a run with the same options") from error
        elif stage.begin and isinstance(network, Trunk):
            begin_with_dlib(network, augment.plain(engine.as_input(self.data.learned.pixels[:_BEGINNING]), stage.side))
        try:
            network.eval()(augment.plain(engine.as_input(self.data.held_out.pixels[:1]), stage.side))
        except RuntimeError as error:
            message = f"the {name}'s options do not fit a side of {stage.side} or the pictures"
            raise UsageError(f"{message}: {str(error).splitlines()[0]}") from error
        return network
