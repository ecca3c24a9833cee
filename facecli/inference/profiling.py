"""The providers on which the nodes of a model really run, read from ONNX Runtime's profile of one run.

A session may run on a GPU and leave some of its nodes to the CPU, which ONNX Runtime does without a word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facecli.inference import providers
from facecli.inference.providers import Tuning
from facecli.inference.session import OnnxSession, open_session

# Operators that most of a network's time goes into. Copies and computations of shapes may well stay on the CPU.
HEAVY = ("Conv", "Gemm", "MatMul", "LSTM", "GRU", "Attention")
SHARE = 0.05  # A node that takes a larger share of the run's time than this is heavy too, whatever its operator.


@dataclass(frozen=True, slots=True)
class Node:
    """One run of one node of a graph, such as a "Conv". seconds: spent inside the provider's kernel."""

    name: str
    operator: str
    provider: str
    seconds: float


def record(
    path: Path, warm_up: Callable[[OnnxSession], object], folder: Path, *, device: str, tuning: Tuning
) -> list[Node]:
    """Return the nodes that run while `warm_up` runs a model's session on a device, in order.

    folder: gets the file of the profile. Raises DeviceError and ModelError as open_session does.
    """
    session = open_session(path, device=device, tuning=replace(tuning, profile=folder / path.stem))
    warm_up(session)
    events = json.loads(session.end_profile().read_text())
    return [
        Node(
            event["name"].removesuffix("_kernel_time"),
            event["args"].get("op_name", ""),
            event["args"]["provider"],
            event["dur"] / 1e6,  # from microseconds
        )
        for event in events
        if event.get("cat") == "Node" and event.get("args", {}).get("provider")
    ]


def strays(nodes: Sequence[Node], device: str) -> list[Node]:
    """Return the heavy nodes that ran on the CPU although the device is another one; none if the device is the CPU."""
    if providers.split(device)[0] == "cpu":
        return []
    total = sum(node.seconds for node in nodes)
    heavy = [node for node in nodes if any(word in node.operator for word in HEAVY) or node.seconds > SHARE * total]
    return [node for node in heavy if node.provider == providers.CPU]
