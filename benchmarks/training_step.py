"""Milliseconds of one training step of the emotion model's two networks, with and without what makes them faster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import common
import torch
from torch import nn
from torch.nn import functional

from facecli.models.training import config as configuration
from facecli.models.training import emotion, fer2013, networks, run
from facecli.models.training.config import Stage

OUTPUTS = 2 * len(fer2013.LABELS)
# Name -> (whether small maps are one matrix product, whether the network is compiled).
WAYS = {"plain": (False, False), "matrix product": (True, False), "compiled": (False, True), "both": (True, True)}


def step_of(stage: Stage, *, product: bool, compiled: bool) -> Callable[[], object]:
    """One step on random pictures: forward, backward, and the optimizer's."""
    torch.manual_seed(0)
    network = run.NETWORKS[stage.network](OUTPUTS, **stage.options)
    for module in network.modules():
        if isinstance(module, networks.TrainedConvolution) and not product:
            module.__class__ = nn.Conv2d
    network = network.to(memory_format=torch.channels_last).train()
    if compiled:
        network.compile()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    pictures = torch.rand(stage.schedule.batch, 1, stage.side, stage.side) * 2 - 1
    targets = torch.rand(stage.schedule.batch, OUTPUTS).softmax(1)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=stage.schedule.bf16):
            logits = network(pictures.to(memory_format=torch.channels_last))
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(logits.float(), targets).backward()
        optimizer.step()

    return step


def main() -> None:
    """Measure both stages of the recipe; the ways take turns."""
    options = common.parser(__doc__)
    options.add_argument("--rounds", type=int, default=15, help="steps of each way")
    given = options.parse_args()
    recipe = configuration.read(Path(emotion.__file__).with_suffix(".toml"))
    figures = []
    for name, stage in (("teacher", cast(Stage, recipe.teacher)), ("student", recipe.student)):
        steps = {way: step_of(stage, product=product, compiled=compiled) for way, (product, compiled) in WAYS.items()}
        taken = common.medians(common.interleaved(steps, given.rounds, warm=3))
        for way, seconds in taken.items():
            figures.append(common.figure(f"{name}, {way}, ms a step", seconds * 1000, "{:.0f}"))
            figures.append(common.figure(f"{name}, {way}, of plain", seconds / taken["plain"], "{:.2f}"))
    common.tell(figures, as_json=given.json)


if __name__ == "__main__":
    main()
