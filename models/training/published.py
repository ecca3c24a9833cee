"""The result of a training: a packed network, and the rule that turns its logits into the answer, in one file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from facecli.errors import ExportError, first_line
from facecli.models.training import architectures
from facecli.models.training.architectures import Network
from facecli.models.training.config import Stage
from facecli.models.training.networks import packed_state
from facecli.system.files import staged

FORMAT = 4  # of the file; files of format 3 do not name their network, which is a ResidualNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rule by which the logits of one or more heads become the answer.

    One head is the answer, two heads with equal classes are blended, and heads that stand `apart` answer one each.

    heads: head -> the number of its classes; heads lie side by side in the logits. share: the first head's part of the
    answer; the rest is the second's. temperature: of that mixture. temperatures: of each head alone. values:
    the numbers, such as years, that the classes stand for; then the answer is their mean. Empty: it is probabilities.
    """

    heads: Mapping[str, int]
    share: float = 1.0
    temperature: float = 1.0
    temperatures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    values: tuple[float, ...] = ()
    apart: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs of Published: the answer, then each head if there are two; or the heads apart."""
        if self.apart:
            return tuple(self.heads)
        return ("value" if self.values else "probabilities", *(self.heads if len(self.heads) > 1 else ()))


class Published(nn.Module):
    """A network with its answer: (N, C, side, side) float32 in [-1, 1] to one tensor for each of `answer.outputs`.

    Probabilities are (N, classes) float32, a value is (N, 1). side: px.
    """

    def __init__(self, network: Network, answer: Answer, side: int) -> None:
        super().__init__()
        self.network, self.answer, self.side = network, answer, side

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Return one tensor for each of `answer.outputs`."""
        logits = self.network(crops)
        if self.answer.apart:
            return tuple(heads_from(logits, self.answer))
        return answer_from(logits, self.answer), *heads_from(logits, self.answer)


def answer_from(logits: Tensor, answer: Answer) -> Tensor:
    """Return the answer of (N, classes of all heads) logits: (N, classes) probabilities, or (N, 1) their mean value."""
    first, *second = (head.softmax(1) for head in logits.split_with_sizes(list(answer.heads.values()), 1))
    mean = first * answer.share + second[0] * (1 - answer.share) if second else first
    # No probability is so small that its logarithm would not be finite.
    probabilities = (mean.clamp_min(1e-12).log() / answer.temperature).softmax(1)
    return probabilities @ torch.tensor(answer.values)[:, None] if answer.values else probabilities


def heads_from(logits: Tensor, answer: Answer) -> list[Tensor]:
    """Return (N, classes) probabilities of each head alone; [] if there is one head."""
    if len(answer.heads) == 1:
        return []
    heads = logits.split_with_sizes(list(answer.heads.values()), 1)
    return [
        (head / answer.temperatures.get(name, 1.0)).softmax(1) for name, head in zip(answer.heads, heads, strict=True)
    ]


def write(path: Path, network: nn.Module, stage: Stage, answer: Answer) -> None:
    """Write a trained network with its answer. stage: the one that trained it. Raises OutputError."""
    built = {"network": stage.network, "options": dict(stage.options), "side": stage.side}
    facts = {"format": FORMAT, **built, "answer": dataclasses.asdict(answer)}
    with staged(path) as temporary:
        torch.save(facts | {"state": packed_state(network)}, temporary)


def read(path: Path) -> Published:
    """Return the network of a file that `write` wrote, in eval mode. Raises ExportError for any other file."""
    try:
        facts = torch.load(path, map_location="cpu", weights_only=True)
        form = int(facts["format"])
        network = _built(facts) if form in (FORMAT - 1, FORMAT) else None
    except Exception as error:  # torch fails in a dozen ways on a file that is something else
        raise ExportError(
            f"{path} is no trained network of facecli: {type(error).__name__} {first_line(error)}"
        ) from error
    if network is None:
        raise ExportError(f"{path} has format {form}, only {FORMAT} is understood", hint="train it again")
    return network.eval()


def _built(facts: Mapping[str, Any]) -> Published:
    state = cast(dict[str, Tensor], facts["state"])
    options = {**facts["options"], "packed": True}
    network = architectures.build(facts.get("network", "residual"), len(state["head.bias"]), options)
    network.load_state_dict(state)
    return Published(network, Answer(**facts["answer"]), int(facts["side"]))
