"""Our figures of tracking beside those of the package trackeval, in an environment of its own: `tox -e trackeval`."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_figures import EXPECTED, boxes_of, followed

from facecli.evaluation.tracking import boxes
from facecli.evaluation.tracking.clear import clear
from facecli.evaluation.tracking.hota import hota
from facecli.evaluation.tracking.identity import identity
from facecli.geometry import overlap

pytest.importorskip("trackeval", reason="trackeval has an environment of its own: tox run -e trackeval")
from trackeval.metrics import CLEAR, HOTA, Identity


def judged(truth: boxes.Boxes, tracks: boxes.Boxes) -> dict[str, float]:
    """What trackeval says of tracks, in percent; it gets the boxes, and none of our matching."""
    people, numbers = np.unique(truth.ids), np.unique(tracks.ids)
    frames = np.union1d(truth.frames, tracks.frames)
    sides = [(truth, people), (tracks, numbers)]
    ids = [[np.searchsorted(names, side.ids[side.frames == frame]) for frame in frames] for side, names in sides]
    alike = [
        overlap(truth.bboxes[truth.frames == frame], tracks.bboxes[tracks.frames == frame]).astype(float)
        for frame in frames
    ]
    data = {
        "num_timesteps": len(frames),
        "num_gt_ids": len(people),
        "num_tracker_ids": len(numbers),
        "num_gt_dets": len(truth.ids),
        "num_tracker_dets": len(tracks.ids),
        "gt_ids": ids[0],
        "tracker_ids": ids[1],
        "similarity_scores": alike,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        counts, names, whole = (metric().eval_sequence(data) for metric in (CLEAR, Identity, HOTA))
    found = {"mota": counts["MOTA"], "motp": counts["MOTP"], "idf1": names["IDF1"]}
    found |= {name.lower(): whole[name].mean() for name in ("HOTA", "DetA", "AssA")}
    return {name: 100 * float(value) for name, value in found.items()}


def ours(truth: boxes.Boxes, tracks: boxes.Boxes) -> dict[str, float]:
    """What we say of them, in percent."""
    compared = boxes.compare(truth, tracks, 0.5)
    counts, whole = clear(compared, 0.5), hota(compared)
    found = {"mota": counts.mota, "motp": counts.motp, "idf1": identity(compared, 0.5).idf1}
    found |= {"hota": whole.hota, "deta": whole.detection, "assa": whole.association}
    return {name: 100 * value for name, value in found.items()}


@pytest.mark.shared
@pytest.mark.parametrize("name", EXPECTED)
def test_the_figures_on_sorts_benchmark_are_trackevals(name, shared):
    folder = shared / "data" / "tracking" / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    truth, tracks = boxes.read(folder / "gt.txt"), followed(folder / "det.txt")
    # A true box whose score is 0 need not be found; trackeval takes what its readers of a benchmark have left.
    assert (truth.scores > 0).all()
    said = judged(truth, tracks)
    assert said == pytest.approx(EXPECTED[name], abs=0.001)
    assert ours(truth, tracks) == pytest.approx(said, abs=0.1)


@pytest.mark.parametrize("seed", range(8))
def test_the_figures_on_films_of_chance_are_trackevals(seed):
    rng = np.random.default_rng(seed)
    frames, people = 40, 6
    paths = rng.uniform(0, 200, (people, 2)) + np.cumsum(rng.normal(0, 4, (frames, people, 2)), axis=0)
    truth, tracks = [], []
    ids = np.arange(people) + 1
    for frame in range(frames):
        if rng.random() < 0.2:  # two people change their numbers
            one, other = rng.choice(people, 2, replace=False)
            ids[[one, other]] = ids[[other, one]]
        for person, (x, y) in enumerate(paths[frame]):
            truth.append((frame + 1, person + 1, x, y, x + 30, y + 30))
            if rng.random() < 0.85:
                dx, dy = rng.normal(0, 4, 2)
                tracks.append((frame + 1, ids[person], x + dx, y + dy, x + dx + 30, y + dy + 30))
    made = boxes_of(truth), boxes_of(tracks)
    assert ours(*made) == pytest.approx(judged(*made), abs=0.1)
