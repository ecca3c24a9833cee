"""Makes the cohort of a recognizer from faces of FairFace's training split, and prints the catalogue's lines about it.

Each row of the file is the mean of eight embeddings of people who resemble each other, or of seven: no single person's
template. The groups come from halving: each part is cut at the median along its main direction, so that all are of one
size; k-means makes some of one face only.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import common
import group_faces
import numpy as np
from numpy.typing import NDArray

from facecli.hosting.choice import DETECTOR, RECOGNIZER
from facecli.types import FloatArray

FACES, HALVINGS = 4000, 9
REFINEMENTS = 8


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--recognizer", default=RECOGNIZER)
    options.add_argument("--detector", default=DETECTOR)
    options.add_argument("--fairface", type=Path, default=common.SHARED / "data" / "fairface.zip", help="folder or zip")
    options.add_argument("--faces", type=int, default=FACES)
    options.add_argument("--halvings", type=int, default=HALVINGS)
    options.add_argument("--cache", type=Path, help="folder that keeps embeddings for the next run")
    options.add_argument("--output", type=Path, required=True, metavar="FILE.npy")
    given = options.parse_args()
    tools = group_faces.toolbox(given.detector, [given.recognizer])
    faces = group_faces.embedded(tools, given.fairface, "train/*", given.cache, count=given.faces)
    content = io.BytesIO()
    np.save(content, centroids(np.stack(list(faces[given.recognizer].values())), given.halvings).astype(np.float16))
    given.output.write_bytes(content.getvalue())
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    print(f'[cohort_point.cohort]\nfile = "{given.output.name}"\nsha256 = "{digest}"')


def centroids(embeddings: FloatArray, halvings: int) -> FloatArray:
    """Return the means (2 ** halvings, dim) of groups of (N, dim) embeddings, which are scaled to length 1 first."""
    rows = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    parts: list[NDArray[np.intp]] = [np.arange(len(rows))]
    for _ in range(halvings):
        parts = [half for part in parts for half in _halves(rows, part)]
    return np.stack([rows[part].mean(axis=0) for part in parts]).astype(np.float32)


def _halves(rows: FloatArray, part: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Cut a part of the rows in two of one size: 2-means with the cut at the median, begun at the main direction."""
    centred = rows[part] - rows[part].mean(axis=0)
    direction, middle = np.linalg.svd(centred, full_matrices=False)[2][0], len(part) // 2
    for _ in range(REFINEMENTS):
        order = np.argsort(centred @ direction)
        direction = centred[order[middle:]].mean(axis=0) - centred[order[:middle]].mean(axis=0)
    order = np.argsort(centred @ direction)
    return part[order[:middle]], part[order[middle:]]


if __name__ == "__main__":
    main()
