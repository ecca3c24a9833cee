"""The engine that every training shares: data in memory, soft targets for one or more heads, one network out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from facecli.errors import UsageError
from facecli.models.training import augment, checkpoint, curves
from facecli.models.training.checkpoint import Average, Progress, Row
from facecli.models.training.config import Schedule, Stage
from facecli.types import FloatArray, UInt8Array

# Whole pictures of the validation at a time.
_EVALUATED = 512
Say = Callable[[str], None]
# In a stage's folder.
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class Examples:
    """pixels: (N, H, W) uint8 grey, or (N, H, W, 3) RGB. targets: head -> (N, C) float32, rows summing to 1."""

    pixels: UInt8Array
    targets: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True, slots=True)
class Run:
    """Where and how a stage runs. digest: what its checkpoints belong to. weights: head -> weight in the loss.

    compiled: through torch.compile, which needs a C++ compiler. learn: False takes what the checkpoint has, finished or
    not.
    """

    folder: Path
    digest: str
    seed: int
    weights: Mapping[str, float]
    device: str = "cpu"
    say: Say = print
    compiled: bool = False
    learn: bool = True


def train(
    make: Callable[[], nn.Module],
    stage: Stage,
    examples: Examples,
    validation: Examples,
    run: Run,
    soften: Callable[[int, Tensor], Tensor] | None = None,
) -> nn.Module:
    """Train a network, or go on where a checkpoint ends, and return the average of its weights, in eval mode.

    soften: (view, rows) -> (n, outputs) targets that replace the examples' own, such as a teacher's.
    """
    torch.manual_seed(run.seed)
    network = make().to(run.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # stubs lack it
    average = Average(network, make().to(run.device))
    optimizer = _optimizer(network, stage.schedule)
    path = run.folder / CHECKPOINT
    progress = checkpoint.resume(path, run.digest, network=network, average=average, optimizer=optimizer)
    if run.compiled:
        network.compile()
    if stage.schedule.batch > len(examples):
        raise UsageError(f"a batch of {stage.schedule.batch} is more than the {len(examples)} pictures to learn from")
    targets = torch.cat([torch.from_numpy(t) for t in examples.targets.values()], 1)
    widths = [t.shape[1] for t in examples.targets.values()]
    loss = Loss([run.weights[name] for name in examples.targets], widths)
    for epoch in range(progress.epoch, stage.schedule.epochs if run.learn else 0):
        start = time.monotonic()
        learned = _epoch(network, average, optimizer, stage, run, examples.pixels, targets, loss, epoch, soften)
        row: Row = {"epoch": epoch + 1, "train_loss": learned, "seconds": round(time.monotonic() - start, 1)}
        logits = predict(average.network, validation.pixels, stage, run.device)
        row |= _figures(logits, validation, loss)
        progress = Progress(epoch + 1, [*progress.history, row])
        checkpoint.save(path, run.digest, progress, network=network, average=average, optimizer=optimizer)
        curves.write(run.folder, progress.history)
        run.say(" ".join(f"{name} {value:.4g}" for name, value in row.items()))
    return average.network.to("cpu").eval()


class Loss:
    """Cross-entropy with soft targets, summed over heads that lie side by side in the logits."""

    def __init__(self, weights: list[float], widths: list[int]) -> None:
        self.weights, self.widths = weights, widths

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(N, outputs) logits and targets -> one number."""
        total = torch.zeros((), device=logits.device)
        heads = zip(
            self.weights, logits.split_with_sizes(self.widths, 1), targets.split_with_sizes(self.widths, 1), strict=True
        )
        for weight, logit, target in heads:
            total = total + weight * functional.cross_entropy(logit, target)
        return total


def as_input(pixels: UInt8Array) -> Tensor:
    """(N, H, W) or (N, H, W, 3) uint8 -> (N, 1 or 3, H, W) float32 in [-1, 1]."""
    values = torch.from_numpy(pixels).float() / 127.5 - 1
    return values[:, None] if values.ndim == 3 else values.permute(0, 3, 1, 2)


@torch.inference_mode()
def predict(network: nn.Module, pixels: UInt8Array, stage: Stage, device: str = "cpu") -> Tensor:
    """(N, outputs) logits of a network for pictures as they are, on the CPU."""
    network.eval()
    parts = []
    for start in range(0, len(pixels), _EVALUATED):
        seen = augment.plain(as_input(pixels[start : start + _EVALUATED]).to(device), stage.side)
        with torch.autocast(device, torch.bfloat16, enabled=stage.schedule.bf16):
            parts.append(network(seen.to(memory_format=torch.channels_last)).float().cpu())
    return torch.cat(parts)


def rate_at(step: int, steps: int, warmup: float) -> float:
    """The factor on the peak rate: up in a line for the first part of the steps, then down a cosine to nothing."""
    rising = warmup * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1)))


def _epoch(
    network: nn.Module,
    average: Average,
    optimizer: torch.optim.Optimizer,
    stage: Stage,
    run: Run,
    pixels: UInt8Array,
    targets: Tensor,
    loss: Loss,
    epoch: int,
    soften: Callable[[int, Tensor], Tensor] | None,
) -> float:
    """One pass over the examples; all randomness hangs on the seed and the epoch, so that a resumed run is the same."""
    how, schedule = stage.augmentation, stage.schedule
    view = epoch % how.views if how.views else epoch
    draws = augment.draw(len(pixels), run.seed, view)
    # Dropout and stochastic depth draw from the global generator.
    torch.manual_seed(run.seed * 1_000_003 + 500_009 + epoch)
    rng = np.random.default_rng((run.seed, epoch))
    per_epoch = len(pixels) // schedule.batch
    network.train()
    total = 0.0
    for step, rows in enumerate(_batches(rng, len(pixels), schedule.batch)):
        factor = rate_at(epoch * per_epoch + step, schedule.epochs * per_epoch, schedule.warmup)
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * group["factor"] * factor
        seen = augment.views(as_input(pixels[rows.numpy()]).to(run.device), draws[rows].to(run.device), how, stage.side)
        seen = augment.cutout(seen, draws[rows].to(run.device), how)
        wanted = (targets[rows] if soften is None else soften(view, rows)).to(run.device)
        if rng.random() < how.mixup:
            share = rng.random()
            seen, wanted = augment.mix(seen, share), augment.mix(wanted, share)
        with torch.autocast(run.device, torch.bfloat16, enabled=schedule.bf16):
            logits = network(seen.to(memory_format=torch.channels_last))
        value = loss(logits.float(), wanted)
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call] # torch does not say
        if schedule.clip:
            nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
        optimizer.step()
        average.update(network, min(schedule.ema, (epoch * per_epoch + step + 1) / (epoch * per_epoch + step + 10)))
        total += float(value.detach())
    return total / per_epoch


def _batches(rng: np.random.Generator, count: int, size: int) -> Iterator[Tensor]:
    """The rows of each batch, shuffled; what does not fill a batch waits for the next epoch."""
    order = rng.permutation(count)
    for start in range(0, count - size + 1, size):
        yield torch.from_numpy(order[start : start + size])


def _optimizer(network: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    """Weight decay on matrices and kernels alone; the head's rate is its own."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((parameter.ndim > 1, name.startswith("head.")), []).append(parameter)
    listed = [
        {
            "params": parameters,
            "weight_decay": schedule.weight_decay if decays else 0.0,
            "factor": schedule.head_rate if head else 1.0,
        }
        for (decays, head), parameters in groups.items()
    ]
    if schedule.optimizer == "adamw":
        return torch.optim.AdamW(listed, lr=schedule.rate)
    return torch.optim.SGD(listed, lr=schedule.rate, momentum=0.9, nesterov=True)


def _figures(logits: Tensor, validation: Examples, loss: Loss) -> Row:
    """The loss on a validation set, and for each head how often its likeliest class is the target's."""
    targets = [torch.from_numpy(target) for target in validation.targets.values()]
    row: Row = {"loss": float(loss(logits, torch.cat(targets, 1)))}
    for name, got, wanted in zip(validation.targets, logits.split_with_sizes(loss.widths, 1), targets, strict=True):
        row[f"accuracy_{name}"] = float((got.argmax(1) == wanted.argmax(1)).float().mean())
    return row
