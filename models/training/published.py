"""The result of a training: a packed network with what turns its logits into the answer, in one file of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from facecli.errors import ExportError
from facecli.files import staged
from facecli.models.training.networks import ResidualNetwork, packed_state

FORMAT = 2
# The answer; and what each head alone says, without the temperature.
OUTPUTS = ("probabilities", "fer2013", "ferplus")


@dataclass(frozen=True, slots=True)
class Answer:
    """How two heads become one: `share` of the first's probabilities, the rest of the second's, then a temperature."""

    share: float
    temperature: float


class Published(nn.Module):
    """(N, 1, side, side) float32 grey in [-1, 1] to three (N, classes) float32 probabilities: OUTPUTS."""

    def __init__(self, network: nn.Module, answer: Answer) -> None:
        super().__init__()
        self.network, self.answer = network, answer

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """(N, 1, side, side) float32 -> for each of OUTPUTS (N, classes) float32, rows summing to 1."""
        logits = self.network(crops)
        return answered(logits, self.answer), *(head.softmax(1) for head in logits.chunk(2, 1))


def answered(logits: Tensor, answer: Answer) -> Tensor:
    """(N, 2 * classes) logits -> (N, classes) probabilities."""
    first, second = (head.softmax(1) for head in logits.chunk(2, 1))
    mean = first * answer.share + second * (1 - answer.share)
    # No probability is so small that its logarithm would not be finite.
    return (mean.clamp_min(1e-12).log() / answer.temperature).softmax(1)


def write(path: Path, network: nn.Module, options: Mapping[str, Any], side: int, answer: Answer) -> None:
    """Write a trained ResidualNetwork, made with these options, and its answer."""
    facts = {"format": FORMAT, "options": dict(options), "side": side}
    facts |= {"share": answer.share, "temperature": answer.temperature, "state": packed_state(network)}
    with staged(path) as temporary:
        torch.save(facts, temporary)


def read(path: Path) -> tuple[Published, int]:
    """A network from such a file, in eval mode, and its side in pixels. Raises ExportError for any other file."""
    try:
        facts = torch.load(path, map_location="cpu", weights_only=True)
        state = cast(dict[str, Tensor], facts["state"])
        network = ResidualNetwork(len(state["head.bias"]), packed=True, **facts["options"])
        network.load_state_dict(state)
        made = Published(network, Answer(float(facts["share"]), float(facts["temperature"])))
        side = int(facts["side"]) if facts["format"] == FORMAT else 0
    except Exception as error:  # torch fails in a dozen ways on a file that is something else
        first = (str(error).strip().splitlines() or [""])[0]
        raise ExportError(f"{path} is no trained network of facecli: {type(error).__name__} {first}") from error
    if not side:
        raise ExportError(f"{path} has format {facts['format']}, only {FORMAT} is understood")
    return made.eval(), side
