"""Accuracy at the thresholds that publishers state: `facecli evaluate` on a list of pairs, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import common

PUBLISHER = ("--operating-point", "publisher")
# The least accuracy, the detector, and the threshold; the last was chosen on lfw_dev.
BARS = {
    "sface": (0.992, "yunet", PUBLISHER),
    "dlib-resnet": (0.98, "mtcnn", PUBLISHER),
    "mobilefacenet": (0.99, "mtcnn", ("--threshold", "0.67")),
}


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
    least, detector, point = BARS[name]
    words = ["evaluate", str(pairs), "--root", str(pairs.parent), "--json"]
    words += ["--recognizer", name, "--detector", detector, *point, *flip.split()]
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
