"""Our mtcnn against facenet-pytorch's MTCNN on the same pictures: same parameters, same threads, in turns."""

from __future__ import annotations

import statistics
from pathlib import Path

import common
import cv2
import numpy as np
import peers

from facecli.geometry import overlap
from facecli.pictures import codec
from facecli.types import Detections, Image, Limits

SAME = 0.9  # IoU from which two boxes are the same


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument(
        "--pictures", type=Path, default=common.SHARED / "data" / "wider_dev.zip", help="folder or zip"
    )
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    cv2.setNumThreads(given.threads)
    theirs = peers.mtcnn(given.threads)
    ours = common.toolbox("mtcnn", None, given.threads).detector
    boxes = found = extra = 0
    medians: dict[str, list[float]] = {"ours": [], "theirs": []}
    with common.folder(given.pictures) as root:
        for path in sorted(root.rglob("*.jpg")):
            picture = codec.decode(path.read_bytes(), path.name, Limits())
            their_boxes = _theirs(theirs, picture)
            same = overlap(their_boxes, ours.detect([picture])[0].bboxes) >= SAME
            boxes, found, extra = boxes + len(same), found + same.any(1).sum(), extra + (~same.any(0)).sum()
            turns = {"ours": lambda p=picture: ours.detect([p]), "theirs": lambda p=picture: theirs.detect(p.pixels)}
            for name, median in common.medians(common.interleaved(turns, given.rounds, warm=0)).items():
                medians[name].append(median)
    us, them = (statistics.median(medians[name]) for name in ("ours", "theirs"))
    ratios = [b / a for a, b in zip(medians["ours"], medians["theirs"], strict=True)]
    place = f"{len(ratios)} pictures, {given.threads} thread{'s' * (given.threads > 1)}"
    figures = [
        common.figure(f"their {boxes} boxes found by ours, IoU >= {SAME}", found / boxes, "{:.2%}", least=0.99),
        common.figure("boxes of ours that they have not", extra / boxes, "{:.2%}", most=0.01),
        common.figure(f"mtcnn, ms at the median of {place}", us * 1e3),
        common.figure("facenet-pytorch, ms", them * 1e3),
        common.figure(f"mtcnn: times as fast at the median of {place}", them / us, "{:.2f}", least=3.5),
        common.figure("times as fast, median of the pictures' ratios", statistics.median(ratios), "{:.2f}"),
        common.figure("times as fast, all pictures together", sum(medians["theirs"]) / sum(medians["ours"]), "{:.2f}"),
    ]
    common.tell(figures, as_json=given.json)


def _theirs(detector: object, picture: Image) -> np.ndarray:
    boxes, _ = detector.detect(picture.pixels)  # type: ignore[attr-defined]
    return Detections.empty(landmarks=False).bboxes if boxes is None else np.asarray(boxes, np.float32)


if __name__ == "__main__":
    main()
