"""The error rates of a recognizer over all comparisons among the pictures of a folder, as TOML for the catalogue.

A picture is called PERSON_NUMBER.jpg, as in LFW: two pictures of the same person are a mated comparison, all others are
non-mated. That makes more than a million non-mated ones of 1,549 pictures, where a list of pairs has some hundred.
"""

from __future__ import annotations

from pathlib import Path

import common
import numpy as np
from numpy.typing import NDArray

from facecli.contract import Metric
from facecli.kinds import METRICS
from facecli.matching.metrics import distance
from facecli.pictures.listing import expand
from facecli.pipeline.flow import Flow
from facecli.pipeline.river import Pipeline
from facecli.system.cores import available_cores
from facecli.types import FloatArray

RATES = (1e-2, 1e-3, 1e-4)
Distances = NDArray[np.float64]


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pictures", type=Path, default=common.SHARED / "data" / "lfw_dev.zip", help="folder or zip")
    options.add_argument("--recognizer", default="dlib-resnet")
    options.add_argument("--flip", action="store_true")
    options.add_argument("--face", default="center")
    options.add_argument("--threshold", type=float, help="instead of the catalogue's, in its metric")
    given = options.parse_args()
    tools = common.toolbox("mtcnn", given.recognizer, 1, flip=given.flip)
    pipeline = Pipeline(tools, Flow(faces=given.face, jobs=available_cores()))
    with common.folder(given.pictures) as root:
        results = [result for result in pipeline.run(expand([str(root)])) if result.embeddings is not None]
    rows = np.concatenate([result.embeddings for result in results if result.embeddings is not None])
    people = np.array([Path(result.source).stem.rpartition("_")[0] for result in results])
    assert tools.recognizer_plugin is not None
    point = tools.recognizer_plugin.operating_point
    threshold = given.threshold or point.threshold
    mated, non_mated = all_comparisons(rows, people, point.metric)
    fmr, fnmr = float((non_mated <= threshold).mean()), float((mated > threshold).mean())
    print(f"# {len(rows)} pictures: {len(mated)} mated and {len(non_mated)} non-mated comparisons")
    print(f"[operating_point]\nmetric = {point.metric!r}\nthreshold = {threshold:g}")
    print(f"fmr = {fmr:.2g}\nfnmr = {fnmr:.2g}\nby_fmr = [{', '.join(_row(non_mated, rate) for rate in RATES)}]")
    for rate in RATES:
        missed = float((mated > at(non_mated, rate)).mean())
        print(f"# FMR {rate:g}: FNMR {missed:.4f}, {int(rate * len(non_mated))} false matches")
    for metric in METRICS:
        own = all_comparisons(rows, people, metric)
        equal = at(own[1], fmr)
        print(f"# equivalents.{metric} = {equal:.4f}, FNMR there {(own[0] > equal).mean():.4f}")


def all_comparisons(rows: FloatArray, people: NDArray[np.str_], metric: Metric) -> tuple[Distances, Distances]:
    """Distances of all pairs of (N, dim) rows, ascending: those of the same person, and the others."""
    mated, non_mated = [], []
    for index in range(len(rows) - 1):
        rest = rows[index + 1 :]
        distances = distance(np.broadcast_to(rows[index], rest.shape), rest, metric)
        same = people[index + 1 :] == people[index]
        mated.append(distances[same])
        non_mated.append(distances[~same])
    return np.sort(np.concatenate(mated)), np.sort(np.concatenate(non_mated))


def at(non_mated: Distances, fmr: float) -> float:
    """The largest threshold with at most this FMR, of distances in ascending order."""
    return float(non_mated[max(0, int(fmr * len(non_mated) + 1e-6) - 1)])


def _row(non_mated: Distances, rate: float) -> str:
    return f"[{rate:g}, {np.floor(at(non_mated, rate) * 1e4) / 1e4:.4f}]"


if __name__ == "__main__":
    main()
