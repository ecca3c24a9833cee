"""The log of a training: a JSON Lines file with the figures of each epoch, and a picture of their curves."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from facecli.models.training.checkpoint import Row
from facecli.system.charts import import_figure
from facecli.system.files import staged, write_bytes


def write(folder: Path, history: list[Row]) -> None:
    """Write log.jsonl and, if matplotlib is installed, curves.png into a folder. Raises OutputError."""
    write_bytes(folder / "log.jsonl", "".join(json.dumps(row) + "\n" for row in history).encode())
    if find_spec("matplotlib") is not None:
        _draw(folder / "curves.png", history)


def _draw(path: Path, history: list[Row]) -> None:
    """Draw losses on the left and accuracies on the right, over the epochs."""
    figure = import_figure()(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    for name in history[-1]:
        axis = left if name.endswith("loss") else right if name.startswith("accuracy") else None
        if axis is not None:
            axis.plot(epochs, [row[name] for row in history], label=name.replace("_", " "))
    for axis, title in ((left, "loss"), (right, "accuracy, averaged weights, validation")):
        axis.set_title(title)
        axis.set_xlabel("epoch")
        axis.grid(visible=True, alpha=0.3)
        axis.legend()
    with staged(path) as temporary:
        figure.savefig(temporary, dpi=100)
