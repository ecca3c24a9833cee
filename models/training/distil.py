"""Distillation (arXiv 1503.02531): teachers' answers to every view of the training pictures, kept in a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facecli.models.training import augment
from facecli.models.training.config import Augmentation, Config, Stage
from facecli.models.training.engine import Examples, Report, Targets, as_input
from facecli.system.files import staged

_AT_ONCE = 256  # pictures that a teacher answers together
_LEAST = 1e-6  # the smallest probability that is kept: its logarithm is finite, in half precision too


@dataclass(frozen=True, slots=True)
class Teacher:
    """A network that teaches. make: returns the trained network; called only if an answer is missing."""

    make: Callable[[], nn.Module]
    stage: Stage


@dataclass(frozen=True, slots=True)
class Answers:
    """The teachers' answers on the disk: one file per view, named after the digest of all that they depend on.

    A run that was cut asks only for the files that are missing.
    """

    folder: Path
    digest: str

    def file(self, view: int) -> Path:
        """Return the .npy file of a view: (N, outputs) float16 logarithms of the teachers' mean probabilities."""
        return self.folder / f"{self.digest}-{view:03}.npy"


def softened_targets(
    teachers: Sequence[Teacher], config: Config, examples: Examples, answers: Answers, device: str, report: Report
) -> Targets:
    """Return the student's targets: labels mixed with the mean of the teachers' probabilities, head by head.

    Asks the teachers for the answers that are missing on the disk. Raises OutputError if those can not be written.
    """
    assert config.distillation is not None
    how = config.student.augmentation
    networks: list[nn.Module] = []
    for view in range(how.views):
        if not answers.file(view).exists():
            networks = networks or [teacher.make().to(device).eval() for teacher in teachers]
            draws = augment.draw(len(examples), config.seed, view)
            logits = [
                _logits(network, teacher.stage, how, examples, draws, device)
                for network, teacher in zip(networks, teachers, strict=True)
            ]
            probabilities = torch.stack([_by_head(each, examples.widths) for each in logits])
            with staged(answers.file(view)) as temporary:
                logarithms = probabilities.mean(0).clamp_min(_LEAST).log()
                np.save(temporary, logarithms.half().numpy(), allow_pickle=False)
            report(f"teachers: view {view + 1} of {how.views}")
    return _Softener(answers, examples, config.distillation.weight, config.distillation.temperature)


class _Softener:
    """Targets that mix labels with kept answers. weight: the answers' part. temperature: divides their logarithms."""

    def __init__(self, answers: Answers, examples: Examples, weight: float, temperature: float) -> None:
        self._labels, self._widths = examples.labels, examples.widths
        self._weight, self._temperature = weight, temperature
        self._answers = cache(lambda view: torch.from_numpy(np.load(answers.file(view), allow_pickle=False)))

    def __call__(self, view: int, rows: Tensor) -> Tensor:
        taught = _by_head(self._answers(view)[rows].float() / self._temperature, self._widths)
        return self._labels[rows] * (1 - self._weight) + taught * self._weight


@torch.inference_mode()
def _logits(
    network: nn.Module, stage: Stage, how: Augmentation, examples: Examples, draws: Tensor, device: str
) -> Tensor:
    """Return a teacher's (N, outputs) logits for one view, cut as the student will see it but for cutout and mixup."""
    parts = []
    for start in range(0, len(examples), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        batch = augment.views(as_input(examples.pixels[rows]).to(device), draws[rows].to(device), how, stage.side)
        with torch.autocast(device, torch.bfloat16, enabled=stage.schedule.bf16):
            parts.append(network(batch.to(memory_format=torch.channels_last)).float().cpu())
    return torch.cat(parts)


def _by_head(logits: Tensor, widths: list[int]) -> Tensor:
    """Return (N, outputs) probabilities of heads that lie side by side, with these numbers of classes."""
    return torch.cat([head.softmax(1) for head in logits.split_with_sizes(widths, 1)], 1)
