"""All detectors on wider_dev: average precision, the score threshold that serves best, time, and where it goes.

Average precision, and the largest and smallest face found at the detector's own threshold, are those of
`facecli evaluate-detection`. Time is that of `detect` on decoded pictures that are 640 px long, batch 1, 8 and 32, on
the CPU; the part inside ONNX Runtime is counted by its sessions.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import common
import cv2
import numpy as np

from facecli.evaluation import average_precision, ground_truth
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore
from facecli.pictures import codec
from facecli.types import Detections, Image, Limits

DETECTORS = {  # name: (plugin, parameters)
    "scrfd 500m": ("scrfd", {}),
    "scrfd 2.5g": ("scrfd", {"model": "2.5g"}),
    "retinaface": ("retinaface", {}),
    "yunet": ("yunet", {}),
    "yolov8-face": ("yolov8-face", {}),
    "yolov5-face": ("yolov5-face", {}),
    "mtcnn": ("mtcnn", {}),
    "haar": ("haar", {}),
}
BATCHES = (1, 8, 32)
SIDE = 640  # px
LOW = 0.02  # the least score, as `facecli evaluate-detection` has it
THRESHOLDS = [round(0.05 * k, 2) for k in range(1, 20)]


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--only", choices=list(DETECTORS), nargs="*", help="these detectors")
    options.add_argument("--no-accuracy", action="store_true", help="time alone")
    options.add_argument("--no-time", action="store_true", help="accuracy alone")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--seconds", type=float, default=4.0, help="per batch size")
    options.add_argument("--alone", help=argparse.SUPPRESS)
    given = options.parse_args()
    cv2.setNumThreads(given.threads)
    with common.folder(common.SHARED / "data" / "wider_dev.zip") as root:
        if given.alone:
            print(json.dumps(timed(given.alone, root, given.threads, given.seconds)))
            return
        figures = []
        for name in given.only or DETECTORS:
            if not given.no_accuracy:
                figures += accuracy(name, root, given.threads)
            if not given.no_time:
                figures += time_figures(name, given.threads, given.seconds)
    common.tell(figures, as_json=given.json)


def accuracy(name: str, root: Path, threads: int) -> list[common.Figure]:
    """What `facecli evaluate-detection` tells, and the score threshold whose mean F1 over the subsets is the best."""
    tools = loaded(name, threads, low=True)
    plugin = tools.detector_plugin
    assert plugin is not None
    pictures = ground_truth.read(root / "ground_truth.json")
    found = {path: tools.detector.detect([read(root / path)])[0] for path in pictures}
    curves = {subset: curve_of(subset, pictures, found) for subset in ground_truth.SUBSETS}
    own = plugin.parameters.get("score_threshold", 0.0)
    figures = [common.figure(f"{name}: AP {s}", c.average_precision(), "{:.3f}") for s, c in curves.items()]
    f1 = {threshold: mean_f1(curves.values(), threshold) for threshold in (own, *THRESHOLDS)}
    best = max(THRESHOLDS, key=f1.__getitem__)
    figures.append(common.figure(f"{name}: mean F1 at its own threshold {own:.2f}", f1[own], "{:.3f}"))
    if own:
        figures.append(common.figure(f"{name}: best threshold, mean F1 {f1[best]:.3f}", best, "{:.2f}"))
    sizes = [size for path, truth in pictures.items() for size in sizes_found(found[path], truth, own)]
    sizes.sort(key=math.prod)
    for end, (width, height) in (("smallest", sizes[0]), ("largest", sizes[-1])):
        figures.append(common.figure(f"{name}: {end} face found, {width:.0f} px wide; high", height, "{:.0f}"))
    return figures


def curve_of(
    subset: str, pictures: Mapping[str, ground_truth.TrueFaces], found: Mapping[str, Detections]
) -> average_precision.PrecisionCurve:
    """The curve of all pictures for one subset."""
    judged = [judge(found[path], truth, truth.subsets[subset]) for path, truth in pictures.items()]
    return average_precision.curve(judged, sum(len(truth.subsets[subset]) for truth in pictures.values()))


def judge(found: Detections, truth: ground_truth.TrueFaces, counts: Any) -> average_precision.JudgedDetections:
    """One picture's detections."""
    return average_precision.judge(found.bboxes.astype(float), found.scores.astype(float), truth.boxes, counts)


def sizes_found(found: Detections, truth: ground_truth.TrueFaces, threshold: float) -> list[list[float]]:
    """Width and height of the faces found, whatever subset they are in."""
    judged = judge(found, truth, np.arange(len(truth.boxes)))
    right = judged.face[(judged.face >= 0) & (judged.scores >= threshold)]
    sizes: list[list[float]] = truth.boxes[right, 2:].tolist()
    return sizes


def mean_f1(curves: Iterable[average_precision.PrecisionCurve], threshold: float) -> float:
    """The mean over the subsets."""
    return float(np.mean([curve.at(threshold).f1 for curve in curves]))


def loaded(name: str, threads: int, *, low: bool = False) -> Toolbox:
    """A detector; low: with the score threshold that average precision wants."""
    plugin, parameters = DETECTORS[name]
    if low and plugin not in ("mtcnn", "haar"):
        parameters = parameters | {"score_threshold": LOW}
    choice = Choice(plugin, None, (), {plugin: parameters})
    tools = Toolbox(choice, Loader(Registry(third_party=False), ModelStore(), device="cpu", threads=threads))
    tools.wait()
    return tools


def time_figures(name: str, threads: int, seconds: float) -> list[common.Figure]:
    """The time of one detector, in a process of its own, for its memory."""
    command = [sys.executable, __file__, "--alone", name, "--threads", str(threads), "--seconds", str(seconds)]
    measured = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    found = []
    for batch in BATCHES:
        own = measured[str(batch)]
        text = f"{name}: batch {batch}, ms a picture ({1 / own['seconds']:.1f} a second, {own['memory']:.0f} MB)"
        found.append(common.figure(text, own["seconds"] * 1e3, "{:.1f}"))
    inside = measured["1"]["inside"]
    if inside is not None:
        least = None if name == "mtcnn" else 0.8  # its threads make the seconds inside no part of the time outside
        found.append(common.figure(f"{name}: part inside ONNX Runtime, batch 1", inside, "{:.2f}", least=least))
    return found


def timed(name: str, root: Path, threads: int, seconds: float) -> dict[str, Any]:
    """Median seconds a picture at each batch size, the part of them inside ONNX Runtime, and the most memory, MB."""
    tools = loaded(name, threads)
    pictures = [shrunk(path) for path in sorted(root.rglob("*.jpg"))[::3]][:32]
    tools.detector.detect(pictures[:1])
    result: dict[str, Any] = {}
    for batch in BATCHES:
        each, before, start = [], inside(tools), time.perf_counter()
        while time.perf_counter() - start < seconds or not each:
            for first in range(0, len(pictures), batch):
                began = time.perf_counter()
                tools.detector.detect(pictures[first : first + batch])
                each.append((time.perf_counter() - began) / len(pictures[first : first + batch]))
        spent = time.perf_counter() - start
        part = None if before is None else (inside(tools) - before) / spent
        result[str(batch)] = {"seconds": float(np.median(each)), "inside": part, "memory": common.peak_memory()}
    return result


def inside(tools: Toolbox) -> Any:
    """Seconds that the sessions have spent inside ONNX Runtime; None without sessions."""
    sessions = tools.loader.runtime.sessions.values()
    return sum(session.seconds for session in sessions) if sessions else None


def read(path: Path) -> Image:
    """A picture file."""
    return codec.decode(path.read_bytes(), path.name, Limits())


def shrunk(path: Path) -> Image:
    """A picture, 640 px long."""
    picture = read(path)
    scale = SIDE / max(picture.height, picture.width)
    size = round(picture.width * scale), round(picture.height * scale)
    return Image(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), path.name)


if __name__ == "__main__":
    main()
