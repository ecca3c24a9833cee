"""Accuracy at the catalogue's fixed thresholds: `facecli evaluate` on a list of pairs, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import common

# The least accuracy, and the detector that the threshold's rates were measured with.
BARS = {"sface": (0.992, "yunet"), "dlib-resnet": (0.98, "mtcnn"), "mobilefacenet": (0.99, "mtcnn")}


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pictures", type=Path, default=common.SHARED / "data" / "lfw_dev.zip", help="folder or zip")
    options.add_argument("--recognizer", action="append", choices=BARS, help="default: all")
    given = options.parse_args()
    figures = []
    with common.folder(given.pictures) as root:
        pairs = next(root.rglob("pairs.csv"))
        for name in given.recognizer or BARS:
            for flip in ("", "--flip"):
                figures += _figures(name, flip, pairs)
    common.tell(figures, as_json=given.json)


def _figures(name: str, flip: str, pairs: Path) -> list[common.Figure]:
    least, detector = BARS[name]
    words = ["evaluate", str(pairs), "--root", str(pairs.parent), "--json"]
    words += ["--recognizer", name, "--detector", detector, *flip.split()]
    done = subprocess.run([sys.executable, "-m", "facecli", *words], check=True, stdout=subprocess.PIPE)
    told = json.loads(done.stdout)
    what = f"{name}{' ' * bool(flip)}{flip}"
    accuracy, folds = told["accuracy"], told["cross_validation"]
    rule = f"{told['metric']} <= {told['threshold']:g}, {accuracy['total']} pairs"
    return [
        common.figure(f"{what}: accuracy at {rule}", accuracy["value"], "{:.1%}", least=None if flip else least),
        common.figure(f"{what}: accuracy in {folds['folds']} folds", folds["accuracy"], "{:.1%}"),
        common.figure(f"{what}: failures to acquire", told["failures_to_acquire"]["count"], "{:.0f}"),
    ]


if __name__ == "__main__":
    main()
