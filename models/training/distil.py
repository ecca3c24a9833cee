"""A teacher's answers to every view of the training pictures, asked once and kept in a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facecli.files import staged
from facecli.models.training import augment
from facecli.models.training.config import Config
from facecli.models.training.engine import Examples, Say, as_input

_ASKED = 256


def ask(
    make: Callable[[], nn.Module],
    config: Config,
    examples: Examples,
    folder: Path,
    digest: str,
    device: str,
    say: Say,
) -> Callable[[int, Tensor], Tensor]:
    """The softened targets of the student, as `engine.train` wants them.

    Each view's logits lie in one file, named after the digest: a run that was cut asks only for what is missing.
    make: the trained teacher, only made if there is something to ask.
    """
    assert config.teacher is not None
    assert config.distillation is not None
    how = config.student.augmentation
    files = [folder / f"{digest}-{view:03}.npy" for view in range(how.views)]
    teacher: nn.Module | None = None
    for view, file in enumerate(files):
        if not file.exists():
            teacher = teacher or make().to(device)
            logits = _answers(teacher, config, examples, view, device)
            with staged(file) as temporary:
                np.save(temporary, logits.half().numpy(), allow_pickle=False)
            say(f"the teacher has answered view {view + 1} of {how.views}")
    widths = [target.shape[1] for target in examples.targets.values()]
    labels = torch.cat([torch.from_numpy(target) for target in examples.targets.values()], 1)
    return _Softener(files, labels, widths, config.distillation.weight, config.distillation.temperature)


class _Softener:
    """(view, rows) -> the mean of the labels and the teacher's probabilities, head by head."""

    def __init__(
        self, files: Sequence[Path], labels: Tensor, widths: list[int], weight: float, temperature: float
    ) -> None:
        self._labels, self._widths, self._weight, self._temperature = labels, widths, weight, temperature
        self._logits = cache(lambda view: torch.from_numpy(np.load(files[view], allow_pickle=False)))

    def __call__(self, view: int, rows: Tensor) -> Tensor:
        logits = self._logits(view)[rows].float() / self._temperature
        taught = torch.cat([head.softmax(1) for head in logits.split_with_sizes(self._widths, 1)], 1)
        return self._labels[rows] * (1 - self._weight) + taught * self._weight


@torch.inference_mode()
def _answers(teacher: nn.Module, config: Config, examples: Examples, view: int, device: str) -> Tensor:
    """(N, outputs) logits for one view, drawn as the student will see it but for cutout and mixup."""
    assert config.teacher is not None
    stage, how = config.teacher, config.student.augmentation
    draws = augment.draw(len(examples), config.seed, view)
    parts = []
    for start in range(0, len(examples), _ASKED):
        rows = slice(start, start + _ASKED)
        seen = augment.views(as_input(examples.pixels[rows]).to(device), draws[rows].to(device), how, stage.side)
        with torch.autocast(device, torch.bfloat16, enabled=stage.schedule.bf16):
            parts.append(teacher(seen.to(memory_format=torch.channels_last)).float().cpu())
    return torch.cat(parts)
