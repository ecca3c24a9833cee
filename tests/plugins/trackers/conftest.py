"""What trackers are tried with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from facecli.contract import TrackerPlugin
from facecli.hosting.registry import Registry
from facecli.types import Detections


@pytest.fixture
def tracker() -> Callable[..., Any]:
    """A function that makes a new tracker by name, with these parameters."""

    def make(name: str, **parameters: Any) -> Any:
        plugin = Registry(third_party=False).load("trackers", name, TrackerPlugin)
        return plugin.load(None, {**plugin.parameters, **parameters})()  # type: ignore[arg-type] # it has no model

    return make


@pytest.fixture
def faces() -> Callable[..., Detections]:
    """A function that makes detections of boxes (x1, y1, x2, y2, score)."""

    def make(*boxes: tuple[float, ...]) -> Detections:
        rows = np.array(sorted(boxes, key=lambda row: -row[4]), np.float32).reshape(-1, 5)
        return Detections(rows[:, :4].copy(), rows[:, 4].copy())

    return make
