"""Where the time of the detectors that are one ONNX network goes: each on pictures of 640 px, batch 1, one thread.

Time is the processor's, which others that keep the machine busy do not count into: of `detect` as a whole, inside ONNX
Runtime, of resizing a picture and making it float32 planes, and of decoding. What is left of the whole is the
suppression, the checks and the Python between them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import common
import cv2
from detectors import loaded, shrunk

from facecli.plugins.single_shot import network as network_module
from facecli.plugins.single_shot.candidates import Layout
from facecli.types import Image

NAMES = ("yunet", "retinaface", "scrfd 500m", "yolov5-face", "yolov8-face")
INSIDE, PLANES, DECODING, REST, ALL = "ONNX Runtime", "resize and planes", "decoding", "suppression and checks", "all"
LEAST_INSIDE = 0.8


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--only", choices=NAMES, nargs="*", help="these detectors")
    options.add_argument("--pictures", type=int, default=15)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    cv2.setNumThreads(1)
    with common.folder(common.SHARED / "data" / "wider_dev.zip") as root:
        pictures = chosen(root, given.pictures)
    figures = []
    for name in given.only or NAMES:
        figures += parts(name, pictures, given.rounds)
    common.tell(figures, as_json=given.json)


def chosen(root: Path, count: int) -> list[Image]:
    """So many pictures of the set, from all over it, as detectors.py makes them."""
    paths = sorted(root.rglob("*.jpg"))
    return [shrunk(path) for path in paths[:: max(1, len(paths) // count)][:count]]


def parts(name: str, pictures: list[Image], rounds: int) -> list[common.Figure]:
    """The median over pictures and rounds of each part, and of the part of the whole that is inside ONNX Runtime."""
    tools = loaded(name, 1)
    detector: Any = tools.detector
    spent: list[dict[str, float]] = []
    with measured(detector) as clock:
        for turn in range(1 + rounds):  # the first is for caches, and does not count
            for picture in pictures:
                clock.clear()
                start = time.process_time()
                detector.detect([picture])
                whole = time.process_time() - start
                if turn:
                    spent.append({**clock, ALL: whole, REST: whole - sum(clock.values())})
    figures = [
        common.figure(f"{name}: ms {part}", statistics.median(own[part] for own in spent) * 1e3, "{:.2f}")
        for part in (ALL, INSIDE, PLANES, DECODING, REST)
    ]
    inside = statistics.median(own[INSIDE] / own[ALL] for own in spent)
    return [*figures, common.figure(f"{name}: part inside ONNX Runtime", inside, "{:.2f}", least=LEAST_INSIDE)]


@contextmanager
def measured(detector: Any) -> Iterator[dict[str, float]]:
    """Processor seconds of a detector's steps, added up for as long as nobody clears them."""
    seconds: dict[str, float] = {}

    def timed(part: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            result = step(*args, **kwargs)
            seconds[part] = seconds.get(part, 0.0) + time.process_time() - start
            return result

        return run

    network = detector.network
    draw, layout, session = network_module.draw, network.layout, network.session
    network_module.draw = timed(PLANES, draw)
    network.layout = Layout(timed(DECODING, layout.decode), layout.shapes)
    network.session = _Session(timed(INSIDE, session.run))
    try:
        yield seconds
    finally:
        network_module.draw, network.layout, network.session = draw, layout, session


class _Session:
    """A session of which only the run is wanted."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self.run = run


if __name__ == "__main__":
    main()
