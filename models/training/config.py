"""The configuration of a training as frozen dataclasses; their fields are the keys of a recipe, a TOML file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Random changes of a training picture. Every amount is a bound; the amounts are drawn evenly.

    degrees: of rotation. scale, shift: parts of the side. brightness: part of 255. contrast: part of itself. flip:
    mirror half of the pictures. cutout: the part of the pictures that get a grey square; cutout_side: its largest side,
    part of the picture's. edges: the number of black edges that a picture has on average, 0 to 4; edge_width: the
    widest one, part of the side. mixup: the part of the batches whose pictures are blended in pairs. views: the number
    of different versions of a picture before they repeat, so that a teacher's answers to them can be kept; 0: they
    never repeat.
    """

    degrees: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    flip: bool = False
    cutout: float = 0.0
    cutout_side: float = 0.4
    edges: float = 0.0
    edge_width: float = 0.3
    mixup: float = 0.0
    views: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The course of the learning: a warm-up, a cosine down to nothing, and an average of the weights (EMA).

    batch: pictures in a step. rate: the peak learning rate. optimizer: sgd or adamw. head_rate: factor on the rate of
    the last layer. warmup: part of all steps. ema: the part that the average keeps at each step. clip: the largest norm
    of the gradient, 0 for none. bf16: compute in bfloat16 where autocast allows it.
    """

    epochs: int
    batch: int
    rate: float
    optimizer: str = "sgd"
    weight_decay: float = 0.0
    head_rate: float = 1.0
    warmup: float = 0.05
    ema: float = 0.998
    clip: float = 0.0
    bf16: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One network to train.

    side: height and width of its input, px. begin: "dlib-resnet" to begin with that recognizer's convolutions, "" to
    begin with random weights. options: arguments of the network's builder.
    """

    network: str
    side: int
    schedule: Schedule
    augmentation: Augmentation = Augmentation()
    begin: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distillation:
    """The part that a teacher's answers have in the targets (arXiv 1503.02531).

    weight: their part of the target. temperature: divides their logarithms; above 1 they are more even. earlier: those
    of the networks that this training begins with ("teacher", "student") that teach as well; the mean of all teachers
    counts.
    """

    weight: float
    temperature: float = 1.0
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole training.

    holdout: the part of the training pictures that is kept for calibration. heads: head -> weight in the loss. share:
    the part of the answer that is the first of two heads'. from_votes: the part of a label's target that is estimated
    from its picture's votes, if there are votes. answer: "probabilities", or "mean" of classes that are numbers. after:
    the training whose networks this one begins with; a recipe names another recipe beside it.
    """

    seed: int
    holdout: float
    heads: Mapping[str, float]
    student: Stage
    share: float = 1.0
    from_votes: float = 0.0
    answer: str = "probabilities"
    teacher: Stage | None = None
    distillation: Distillation | None = None
    after: Config | None = None

    @property
    def stages(self) -> Mapping[str, Stage]:
        """The networks to train by name, in the order of their training."""
        return ({"teacher": self.teacher} if self.teacher else {}) | {"student": self.student}


def digest(part: Stage | Augmentation, *others: object) -> str:
    """Return a short hash of all that a result depends on, so that no other result is taken for it.

    others: values whose `repr` shows all of them.
    """
    text = json.dumps([dataclasses.asdict(part), *map(repr, others)], sort_keys=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
