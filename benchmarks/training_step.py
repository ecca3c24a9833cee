"""Milliseconds of one training step of the emotion model's two networks, with and without what makes them faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import common
import torch
from torch import nn
from torch.nn import functional

from facecli.models.training import architectures, calibrate, emotion, networks
from facecli.models.training import recipe as recipes
from facecli.models.training.config import Stage

OUTPUTS = sum(calibrate.HEADS.values())


@dataclass(frozen=True)
class Way:
    """product: small maps are one matrix product. compiled: by torch.compile. bf16: autocast."""

    product: bool = False
    compiled: bool = False
    bf16: bool = True


WAYS = {
    "float32": Way(bf16=False),
    "bf16": Way(),
    "bf16, matrix product": Way(product=True),
    "bf16, compiled": Way(compiled=True),
    "bf16, both": Way(product=True, compiled=True),
}


def step_of(stage: Stage, way: Way) -> Callable[[], object]:
    """One step on random pictures: forward, backward, and the optimizer's."""
    torch.manual_seed(0)
    network = architectures.build(stage.network, OUTPUTS, stage.options)
    for module in network.modules():
        if isinstance(module, networks.TrainedConvolution) and not way.product:
            module.__class__ = nn.Conv2d
    network = network.to(memory_format=torch.channels_last).train()
    if way.compiled:
        network.compile()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    pictures = torch.rand(stage.schedule.batch, 1, stage.side, stage.side) * 2 - 1
    targets = torch.rand(stage.schedule.batch, OUTPUTS).softmax(1)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=way.bf16):
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
    recipe = recipes.read(emotion.RECIPE)
    figures = []
    for name, stage in (("teacher", cast(Stage, recipe.teacher)), ("student", recipe.student)):
        steps = {how: step_of(stage, way) for how, way in WAYS.items()}
        taken = common.medians(common.interleaved(steps, given.rounds, warm=3))
        for how, seconds in taken.items():
            figures.append(common.figure(f"{name}, {how}, ms a step", seconds * 1000, "{:.0f}"))
            figures.append(common.figure(f"{name}, {how}, of bf16", seconds / taken["bf16"], "{:.2f}"))
    common.tell(figures, as_json=given.json)


if __name__ == "__main__":
    main()
