"""The answers of one or more teachers to every view of the training pictures, asked once and kept in a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facecli.models.training import augment
from facecli.models.training.config import Config, Stage
from facecli.models.training.engine import Examples, Say, as_input
from facecli.system.files import staged

_ASKED = 256
# The least probability that is kept: its logarithm is finite, in half precision too.
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Teacher:
    """A network that is asked. make: it, trained; only called if there is something to ask."""

    make: Callable[[], nn.Module]
    stage: Stage


def ask(
    teachers: Sequence[Teacher],
    config: Config,
    examples: Examples,
    folder: Path,
    digest: str,
    device: str,
    say: Say,
) -> Callable[[int, Tensor], Tensor]:
    """The softened targets of the student, as `engine.train` wants them.

    Each view's answers lie in one file, named after the digest: a run that was cut asks only for what is missing. They
    are the logarithms of the mean of the teachers' probabilities.
    """
    assert config.distillation is not None
    how = config.student.augmentation
    files = [folder / f"{digest}-{view:03}.npy" for view in range(how.views)]
    widths = [target.shape[1] for target in examples.targets.values()]
    networks: list[nn.Module] = []
    for view, file in enumerate(files):
        if not file.exists():
            networks = networks or [teacher.make().to(device).eval() for teacher in teachers]
            told = [
                _answers(network, teacher.stage, config, examples, widths, view, device)
                for network, teacher in zip(networks, teachers, strict=True)
            ]
            mean = torch.stack(told).mean(0).clamp_min(_LEAST).log()
            with staged(file) as temporary:
                np.save(temporary, mean.half().numpy(), allow_pickle=False)
            say(f"teachers: view {view + 1} of {how.views}")
    labels = torch.cat([torch.from_numpy(target) for target in examples.targets.values()], 1)
    return _Softener(files, labels, widths, config.distillation.weight, config.distillation.temperature)


class _Softener:
    """(view, rows) -> the mean of the labels and the teachers' probabilities, head by head."""

    def __init__(
        self, files: Sequence[Path], labels: Tensor, widths: list[int], weight: float, temperature: float
    ) -> None:
        self._labels, self._widths, self._weight, self._temperature = labels, widths, weight, temperature
        self._answers = cache(lambda view: torch.from_numpy(np.load(files[view], allow_pickle=False)))

    def __call__(self, view: int, rows: Tensor) -> Tensor:
        taught = _by_head(self._answers(view)[rows].float() / self._temperature, self._widths)
        return self._labels[rows] * (1 - self._weight) + taught * self._weight


@torch.inference_mode()
def _answers(
    teacher: nn.Module, stage: Stage, config: Config, examples: Examples, widths: list[int], view: int, device: str
) -> Tensor:
    """(N, outputs) probabilities for one view, drawn as the student will see it but for cutout and mixup."""
    how = config.student.augmentation
    draws = augment.draw(len(examples), config.seed, view)
    parts = []
    for start in range(0, len(examples), _ASKED):
        rows = slice(start, start + _ASKED)
        seen = augment.views(as_input(examples.pixels[rows]).to(device), draws[rows].to(device), how, stage.side)
        with torch.autocast(device, torch.bfloat16, enabled=stage.schedule.bf16):
            parts.append(teacher(seen.to(memory_format=torch.channels_last)).float().cpu())
    return _by_head(torch.cat(parts), widths)


def _by_head(logits: Tensor, widths: list[int]) -> Tensor:
    """(N, outputs) probabilities of heads that lie side by side."""
    return torch.cat([head.softmax(1) for head in logits.split_with_sizes(widths, 1)], 1)
