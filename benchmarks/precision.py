"""What float16 and int8 cost: size, time and accuracy of a recognizer's file, as `facecli export` makes it.

int8 is calibrated on faces of wider_dev, which the pairs of lfw_dev do not show.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import common

BARS = {"fp16": 0.001, "int8": 0.003}  # of the accuracy that may be lost
ROUNDS = 15


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pictures", type=Path, default=common.SHARED / "data" / "lfw_dev.zip", help="folder or zip")
    options.add_argument("--faces", type=Path, default=common.SHARED / "data" / "wider_dev.zip", help="folder or zip")
    options.add_argument("--recipe", action="append", choices=["dlib-resnet", "mobilefacenet"], help="default: both")
    options.add_argument("--keep", type=Path, help="a folder for the files; those that are there are only timed")
    given = options.parse_args()
    figures = []
    with tempfile.TemporaryDirectory() as temporary:
        for recipe in given.recipe or ["dlib-resnet", "mobilefacenet"]:
            place = (given.keep or Path(temporary)) / recipe
            if not place.is_dir():
                with common.folder(given.pictures) as root, common.folder(given.faces) as faces:
                    _export(recipe, place, next(root.rglob("pairs.csv")), faces)
            figures += _figures(recipe, place)
    common.tell(figures, as_json=given.json)


def _export(recipe: str, place: Path, pairs: Path, faces: Path) -> None:
    """Every precision, each proved and judged by the command line."""
    weights = ["--weights", str(common.SHARED / "models" / "mobilefacenet.pt")] if recipe == "mobilefacenet" else []
    words = ["export", recipe, *weights, "--no-register", "--output", str(place), "--json"]
    judged = ["--evaluate", str(pairs), "--root", str(pairs.parent)]
    for more in ([], ["--precision", "fp16", *judged], ["--precision", "int8", "--calibration", str(faces), *judged]):
        command = [sys.executable, "-m", "facecli", *words, *more]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _figures(recipe: str, place: Path) -> list[common.Figure]:
    reports: dict[str, Any] = {}
    for path in sorted(place.glob("*.report.json")):
        report = json.loads(path.read_text("utf-8"))
        reports[report["kind"]] = report
    figures = []
    times = {batch: _times(place, reports, batch) for batch in (1, 8)}
    for kind in ("fp16", "int8"):
        report, what = reports[kind], f"{recipe}, {kind}"
        before, after = (report["accuracy"]["files"][own] for own in ("fp32", kind))
        lost = before["accuracy"] - after["accuracy"]
        figures.append(common.figure(f"{what}: accuracy at the threshold", after["accuracy"], "{:.1%}"))
        figures.append(common.figure(f"{what}: accuracy lost", lost, "{:.3f}", most=BARS[kind]))
        figures += [
            common.figure(f"{what}: {name} lost", before[name] - after[name], "{:.3f}")
            for name in ("folds_accuracy", "best_accuracy")
        ]
        cosine = min(case["meaning"] for case in report["parity"] if case["data"] == "portraits")
        figures.append(common.figure(f"{what}: least cosine with fp32, portraits", cosine, "{:.6f}"))
        size = report["size"] / reports["fp32"]["size"]
        figures.append(common.figure(f"{what}: size / fp32", size, "{:.3f}", most=0.3 if kind == "int8" else None))
        for batch, own in times.items():
            ratio = own["fp32"] / own[kind]
            least = 1.0 if kind == "int8" else None
            figures.append(common.figure(f"{what}: times as fast as fp32, batch {batch}", ratio, "{:.2f}", least=least))
    return figures


def _times(place: Path, reports: dict[str, Any], batch: int) -> dict[str, float]:
    import numpy as np

    from facecli.inference.session import open_session

    sessions = {kind: open_session(place / report["file"], threads=1) for kind, report in reports.items()}
    ((name, shape),) = sessions["fp32"].input_shapes.items()
    pixels = np.random.default_rng(0).normal(0, 0.5, (batch, *shape[1:])).astype(np.float32)
    actions = {kind: lambda own=session: own.run({name: pixels}) for kind, session in sessions.items()}
    return common.medians(common.interleaved(actions, ROUNDS))


if __name__ == "__main__":
    main()
