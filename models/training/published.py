"""The result of a training: a packed network with what turns its logits into the answer, in one file of tensors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from facecli.errors import ExportError
from facecli.models.training.networks import ResidualNetwork, packed_state
from facecli.system.files import staged

FORMAT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the logits of one head, or of two with the same classes, become the answer.

    heads: head -> how many classes it has; they lie side by side in the logits. share: how much of the answer is the
    first head's, the rest is the second's. temperature: of that mixture; temperatures: of what each of two heads says
    alone. values: what the classes stand for where the answer is their mean, such as years; empty for probabilities.
    """

    heads: Mapping[str, int]
    share: float = 1.0
    temperature: float = 1.0
    temperatures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    values: tuple[float, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of what Published returns: the answer first, then what each head says where there are two."""
        return ("value" if self.values else "probabilities", *(self.heads if len(self.heads) > 1 else ()))


class Published(nn.Module):
    """(N, C, side, side) float32 in [-1, 1] to `answer.outputs`, each (N, classes) float32, or (N, 1) for a value."""

    def __init__(self, network: ResidualNetwork, answer: Answer, side: int) -> None:
        super().__init__()
        self.network, self.answer, self.side = network, answer, side

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """(N, C, side, side) float32 -> one tensor for each of `answer.outputs`."""
        logits = self.network(crops)
        return answered(logits, self.answer), *alone(logits, self.answer)


def answered(logits: Tensor, answer: Answer) -> Tensor:
    """(N, classes of all heads) logits -> (N, classes) probabilities, or (N, 1) their mean value."""
    first, *second = (head.softmax(1) for head in logits.split_with_sizes(list(answer.heads.values()), 1))
    mean = first * answer.share + second[0] * (1 - answer.share) if second else first
    # No probability is so small that its logarithm would not be finite.
    probabilities = (mean.clamp_min(1e-12).log() / answer.temperature).softmax(1)
    return probabilities @ torch.tensor(answer.values)[:, None] if answer.values else probabilities


def alone(logits: Tensor, answer: Answer) -> list[Tensor]:
    """What each of two heads says: (N, classes) probabilities; nothing where there is one head."""
    if len(answer.heads) == 1:
        return []
    heads = logits.split_with_sizes(list(answer.heads.values()), 1)
    return [
        (head / answer.temperatures.get(name, 1.0)).softmax(1) for name, head in zip(answer.heads, heads, strict=True)
    ]


def write(path: Path, network: nn.Module, options: Mapping[str, Any], side: int, answer: Answer) -> None:
    """Write a trained ResidualNetwork, made with these options, and its answer."""
    facts = {"format": FORMAT, "options": dict(options), "side": side, "answer": dataclasses.asdict(answer)}
    with staged(path) as temporary:
        torch.save(facts | {"state": packed_state(network)}, temporary)


def read(path: Path) -> Published:
    """A network from such a file, in eval mode. Raises ExportError for any other file."""
    try:
        facts = torch.load(path, map_location="cpu", weights_only=True)
        form = int(facts["format"])
        made = _made(facts) if form == FORMAT else None
    except Exception as error:  # torch fails in a dozen ways on a file that is something else
        first = (str(error).strip().splitlines() or [""])[0]
        raise ExportError(f"{path} is no trained network of facecli: {type(error).__name__} {first}") from error
    if made is None:
        raise ExportError(f"{path} has format {form}, only {FORMAT} is understood", hint="train it again")
    return made.eval()


def _made(facts: Mapping[str, Any]) -> Published:
    state = cast(dict[str, Tensor], facts["state"])
    network = ResidualNetwork(len(state["head.bias"]), packed=True, **facts["options"])
    network.load_state_dict(state)
    return Published(network, Answer(**facts["answer"]), int(facts["side"]))
