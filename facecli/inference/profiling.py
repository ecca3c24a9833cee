"""What really runs where: ONNX Runtime's own record of a run, node by node."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facecli.inference import providers
from facecli.inference.providers import Tuning
from facecli.inference.session import OnnxSession, open_session

# What the time of a network goes into; its copies and shapes may well stay on the CPU.
HEAVY = ("Conv", "Gemm", "MatMul", "LSTM", "GRU", "Attention")
SHARE = 0.05  # of the run's time; from here on a node has weight, whatever it does


@dataclass(frozen=True, slots=True)
class Node:
    """One run of one node. seconds: inside the kernel."""

    name: str
    operator: str
    provider: str
    seconds: float


def record(path: Path, warm_up: Callable[[OnnxSession], object], *, device: str, tuning: Tuning) -> list[Node]:
    """The nodes that a model runs when `warm_up` runs it on a device. Raises what open_session raises."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(path, device=device, tuning=replace(tuning, profile=Path(folder, "profile")))
        warm_up(session)
        events = json.loads(session.end_profile().read_text())
    return [
        Node(
            event["name"].removesuffix("_kernel_time"),
            event["args"].get("op_name", ""),
            event["args"]["provider"],
            event["dur"] / 1e6,
        )
        for event in events
        if event.get("cat") == "Node" and event.get("args", {}).get("provider")
    ]


def strays(nodes: Sequence[Node], device: str) -> list[Node]:
    """The nodes of weight that ran on the CPU although the device is another."""
    if providers.split(device)[0] == "cpu":
        return []
    total = sum(node.seconds for node in nodes)
    heavy = [node for node in nodes if any(word in node.operator for word in HEAVY) or node.seconds > SHARE * total]
    return [node for node in heavy if node.provider == providers.CPU]
