"""All detectors on wider_dev: average precision, the score threshold that serves best, time, and where it goes.

Time is that of `detect` on decoded pictures that are 640 px long, batch 1, 8 and 32, on the CPU; the part inside ONNX
Runtime is counted by its sessions. Average precision is `facecli evaluate-detection`'s.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import common
import cv2
import numpy as np

from facecli import images
from facecli.models.store import ModelStore
from facecli.registry import Registry
from facecli.toolbox import Choice, Toolbox
from facecli.types import Image, Limits

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
                figures += accuracy(name, root)
            if not given.no_time:
                figures += time_figures(name, given.threads, given.seconds)
    common.tell(figures, as_json=given.json)


def accuracy(name: str, root: Path) -> list[common.Figure]:
    """What `facecli evaluate-detection` says."""
    plugin, parameters = DETECTORS[name]
    words = [word for key, value in parameters.items() for word in ("-p", f"{plugin}.{key}={json.dumps(value)}")]
    truth = root / "ground_truth.json"
    command = ["evaluate-detection", "--root", root, "--ground-truth", truth, "--detector", plugin, *words, "--json"]
    done = subprocess.run([sys.executable, "-m", "facecli", *command], capture_output=True, check=True)
    document = json.loads(done.stdout)
    found = []
    for subset, values in document["subsets"].items():
        found.append(common.figure(f"{name}: AP {subset}", values["average_precision"], "{:.3f}"))
        for key in ("at_default", "at_best"):
            point = values[key]
            if point is not None:
                text = f"{name}: F1 {subset}, {key[3:]} threshold {point['threshold']:.3f}"
                found.append(common.figure(text, point["f1"], "{:.3f}"))
    for end in ("smallest", "largest"):
        width, height = document["subsets"]["hard"][f"{end}_found"]
        found.append(common.figure(f"{name}: {end} face found, {width:.0f}x{height:.0f} px, height", height, "{:.0f}"))
    return found


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
    plugin, parameters = DETECTORS[name]
    choice = Choice(plugin, None, (), {plugin: parameters})
    tools = Toolbox(choice, Registry(third_party=False), ModelStore(), device="cpu", threads=threads)
    tools.wait()
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
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        result[str(batch)] = {"seconds": float(np.median(each)), "inside": part, "memory": memory}
    return result


def inside(tools: Toolbox) -> Any:
    """Seconds that the sessions have spent inside ONNX Runtime; None without sessions."""
    sessions = tools.runtime.sessions.values()
    return sum(session.seconds for session in sessions) if sessions else None


def shrunk(path: Path) -> Image:
    """A picture, 640 px long."""
    picture = images.decode(path.read_bytes(), path.name, Limits())
    scale = SIDE / max(picture.height, picture.width)
    size = round(picture.width * scale), round(picture.height * scale)
    return Image(cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA), path.name)


if __name__ == "__main__":
    main()
