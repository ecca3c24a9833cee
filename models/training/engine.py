"""The engine that every training shares: data in memory, soft targets for one or more heads, one network out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from facecli.errors import UsageError
from facecli.models.training import augment, checkpoint, curves
from facecli.models.training.checkpoint import Average, Progress, Row
from facecli.models.training.config import Stage
from facecli.models.training.loss import Loss, figures
from facecli.models.training.optimizing import build_optimizer, rate_at, set_rate
from facecli.types import FloatArray, UInt8Array

CHECKPOINT = "checkpoint.pt"  # in a stage's folder
_AT_ONCE = 512  # pictures that `predict` runs together
Report = Callable[[str], None]  # receives lines about the progress
Targets = Callable[[int, Tensor], Tensor]  # (view, rows) -> (rows, outputs)


@dataclass(frozen=True, slots=True)
class Examples:
    """Pictures with their targets.

    pixels: (N, H, W) uint8 grey, or (N, H, W, 3) uint8 RGB. targets: head -> (N, classes) float32, rows summing to 1.
    """

    pixels: UInt8Array
    targets: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def heads(self) -> dict[str, Tensor]:
        """The targets as tensors, by head."""
        return {name: torch.from_numpy(target) for name, target in self.targets.items()}

    @property
    def labels(self) -> Tensor:
        """The targets of all heads side by side, (N, outputs)."""
        return torch.cat([*self.heads.values()], 1)

    @property
    def widths(self) -> list[int]:
        """The number of classes of each head."""
        return [target.shape[1] for target in self.targets.values()]


@dataclass(frozen=True, slots=True)
class StageRun:
    """The conditions under which a stage is trained.

    folder: for its checkpoint and log. digest: of all that its checkpoint depends on. weights: head -> weight in the
    loss. device: cpu or cuda. compiled: through torch.compile, which needs a C++ compiler. learn: False takes the
    network from the checkpoint, finished or not.
    """

    folder: Path
    digest: str
    seed: int
    weights: Mapping[str, float]
    device: str = "cpu"
    report: Report = print
    compiled: bool = False
    learn: bool = True


def train(
    make: Callable[[], nn.Module],
    stage: Stage,
    examples: Examples,
    validation: Examples,
    run: StageRun,
    soften: Targets | None = None,
) -> nn.Module:
    """Train a network, or go on where a checkpoint ends; return the average of its weights, on the CPU, in eval mode.

    make: builds the network with random weights. soften: targets in place of the examples' own, such as a teacher's.
    Raises UsageError for a checkpoint of another configuration and for a batch larger than the examples, InputError for
    a damaged checkpoint.
    """
    torch.manual_seed(run.seed)
    network = make().to(run.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # stubs lack it
    average = Average(network, make().to(run.device))
    optimizer = build_optimizer(network, stage.schedule)
    path = run.folder / CHECKPOINT
    progress = checkpoint.resume(path, run.digest, network=network, average=average, optimizer=optimizer)
    if run.compiled:
        network.compile()
    if stage.schedule.batch > len(examples):
        raise UsageError(f"a batch of {stage.schedule.batch} is more than the {len(examples)} pictures to learn from")
    labels = examples.labels
    loss = Loss([run.weights[name] for name in examples.targets], examples.widths)
    learner = _Learner(network, average, optimizer, loss, stage, run)
    for epoch in range(progress.epoch, stage.schedule.epochs if run.learn else 0):
        start = time.monotonic()
        train_loss = learner.learn(epoch, examples.pixels, soften or (lambda _view, rows: labels[rows]))
        row: Row = {"epoch": epoch + 1, "train_loss": train_loss, "seconds": round(time.monotonic() - start, 1)}
        row |= figures(predict(average.network, validation.pixels, stage, run.device), validation.heads, loss)
        progress = Progress(epoch + 1, [*progress.history, row])
        checkpoint.save(path, run.digest, progress, network=network, average=average, optimizer=optimizer)
        curves.write(run.folder, progress.history)
        run.report(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
    return average.network.to("cpu").eval()


def as_input(pixels: UInt8Array) -> Tensor:
    """Return pictures as a network takes them: (N, H, W) or (N, H, W, 3) uint8 -> (N, 1 or 3, H, W) in [-1, 1]."""
    values = torch.from_numpy(pixels).float() / 127.5 - 1
    return values[:, None] if values.ndim == 3 else values.permute(0, 3, 1, 2)


@torch.inference_mode()
def predict(network: nn.Module, pixels: UInt8Array, stage: Stage, device: str = "cpu") -> Tensor:
    """Return a network's (N, outputs) float32 logits, on the CPU, for pictures without augmentation."""
    network.eval()
    parts = []
    for start in range(0, len(pixels), _AT_ONCE):
        batch = augment.plain(as_input(pixels[start : start + _AT_ONCE]).to(device), stage.side)
        with torch.autocast(device, torch.bfloat16, enabled=stage.schedule.bf16):
            parts.append(network(batch.to(memory_format=torch.channels_last)).float().cpu())
    return torch.cat(parts)


@dataclass(frozen=True, slots=True)
class _Learner:
    """A network that learns, and all that a step of it needs."""

    network: nn.Module
    average: Average
    optimizer: torch.optim.Optimizer
    loss: Loss
    stage: Stage
    run: StageRun

    def learn(self, epoch: int, pixels: UInt8Array, targets: Targets) -> float:
        """Go over the examples once; return the mean loss of the batches.

        All randomness depends on the seed and the epoch, so that a resumed run equals one that was never cut.
        """
        how, schedule, device = self.stage.augmentation, self.stage.schedule, self.run.device
        view = epoch % how.views if how.views else epoch
        draws = augment.draw(len(pixels), self.run.seed, view)
        # Dropout and stochastic depth draw from the global generator.
        torch.manual_seed(self.run.seed * 1_000_003 + 500_009 + epoch)
        rng = np.random.default_rng((self.run.seed, epoch))
        per_epoch = len(pixels) // schedule.batch
        self.network.train()
        total = 0.0
        for step, rows in enumerate(_batches(rng, len(pixels), schedule.batch), epoch * per_epoch):
            set_rate(self.optimizer, schedule.rate, rate_at(step, schedule.epochs * per_epoch, schedule.warmup))
            drawn = draws[rows].to(device)
            batch = augment.views(as_input(pixels[rows.numpy()]).to(device), drawn, how, self.stage.side)
            batch = augment.cutout(augment.black_edges(batch, drawn, how), drawn, how)
            expected = targets(view, rows).to(device)
            if rng.random() < how.mixup:
                share = rng.random()
                batch, expected = augment.mix(batch, share), augment.mix(expected, share)
            total += self._step(batch, expected)
            # The first averages are young: they keep less.
            self.average.update(self.network, min(schedule.ema, (step + 1) / (step + 10)))
        return total / per_epoch

    def _step(self, batch: Tensor, expected: Tensor) -> float:
        """Change the weights by one batch; return its loss before the change."""
        schedule = self.stage.schedule
        with torch.autocast(self.run.device, torch.bfloat16, enabled=schedule.bf16):
            logits = self.network(batch.to(memory_format=torch.channels_last))
        value = self.loss(logits.float(), expected)
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call] # torch does not say
        if schedule.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), schedule.clip)
        self.optimizer.step()
        return float(value.detach())


def _batches(rng: np.random.Generator, count: int, size: int) -> Iterator[Tensor]:
    """Yield the rows of each batch, shuffled; pictures that do not fill a last batch wait for the next epoch."""
    order = rng.permutation(count)
    for start in range(0, count - size + 1, size):
        yield torch.from_numpy(order[start : start + size])
