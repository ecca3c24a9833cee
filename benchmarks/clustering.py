"""Measures clusters of faces, by `python benchmarks/clustering.py FACES.npz`; with --faces N, time and memory instead.

FACES.npz is what `facecli embed lfw/ --face center -o FACES.npz` writes; the person is the picture's name without its
last number, as in LFW. It prints BCubed precision, recall and F (E. Amigo et al., "A comparison of extrinsic clustering
evaluation metrics based on formal constraints", 2009) over thresholds of average linkage, and at the one that
`facecli cluster` takes. BCubed: of each face, the share of its cluster that is of its person, and the share of its
person that is in its cluster; the means over all faces, and their harmonic mean. --faces N clusters N made-up faces,
ten of each person, in random order.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import common
import numpy as np

from facecli.clustering import rule
from facecli.clustering.linkage import average_linkage
from facecli.gallery.index import unit
from facecli.hosting.registry import Registry
from facecli.matching import stored

BAR = 0.93
THRESHOLDS = "0.45,0.5,0.55,0.6,0.64,0.7,0.8"
DIM, EACH, SPREAD = 128, 10, 0.9


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("file", nargs="?", type=Path, help="embeddings")
    options.add_argument("--thresholds", default=THRESHOLDS, help="beside the default one")
    options.add_argument("--faces", type=int, help="made-up faces")
    options.add_argument("--threshold", type=float, default=0.5147, help="for made-up faces")
    given = options.parse_args()
    figures = (
        made_up(given.faces, given.threshold)
        if given.faces
        else quality(given.file, [float(text) for text in given.thresholds.split(",")])
    )
    common.tell(figures, as_json=given.json)


def quality(path: Path, thresholds: Sequence[float]) -> list[common.Figure]:
    """BCubed F at the threshold of `facecli cluster`, and at others."""
    file = stored.read(path, 2**30)
    names = [re.sub(r"_?\d+$", "", Path(source).stem) for source in file.sources]
    rows = np.asarray(unit(file.rows), np.float32)
    several = sum(count > 1 for count in Counter(names).values())
    print(f"{len(rows)} faces of {len(set(names))} people, {several} of them with two or more")
    default = rule.for_stored(file, rule.wish(None, None), Registry()).threshold
    figures = []
    for threshold in (default, *thresholds):
        precision, recall, f = bcubed(average_linkage(rows, threshold).tolist(), names)
        what = f"BCubed F at {threshold:.3f} (P {precision:.3f}, R {recall:.3f})"
        figures.append(common.figure(what, f, "{:.4f}", least=None if figures else BAR))
    return figures


def bcubed(labels: Sequence[int], names: Sequence[str]) -> tuple[float, float, float]:
    """Return BCubed precision, recall and F."""
    shared = Counter(zip(labels, names, strict=True))
    clusters, people = Counter(labels), Counter(names)
    precision = sum(count**2 / clusters[label] for (label, _), count in shared.items()) / len(labels)
    recall = sum(count**2 / people[name] for (_, name), count in shared.items()) / len(labels)
    return precision, recall, 2 * precision * recall / (precision + recall)


def made_up(count: int, threshold: float) -> list[common.Figure]:
    """Time and memory for so many faces."""
    rng = np.random.default_rng(0)
    owners = rng.permutation(count) // EACH
    centres = rng.normal(size=(count // EACH + 1, DIM))
    rows = np.asarray(unit(centres[owners] + SPREAD * rng.normal(size=(count, DIM))), np.float32)
    start = time.perf_counter(), time.process_time()
    labels = average_linkage(rows, threshold)
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    return [
        common.figure(f"{count} faces, clusters", len(set(labels.tolist())), "{:.0f}"),
        common.figure("wall, s", wall, "{:.1f}", most=60),
        common.figure("processor, s", cpu, "{:.1f}"),
        common.figure("peak memory, MB", common.peak_memory(), "{:.0f}", most=1000),
    ]


if __name__ == "__main__":
    main()
