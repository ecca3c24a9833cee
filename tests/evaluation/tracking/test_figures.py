"""The figures of tracking, beside the package trackeval's on SORT's own benchmark, and on small films by hand."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.contract import TrackerPlugin
from facecli.errors import UsageError
from facecli.evaluation.tracking import boxes
from facecli.evaluation.tracking.clear import clear
from facecli.evaluation.tracking.hota import hota
from facecli.evaluation.tracking.identity import identity
from facecli.hosting.registry import Registry
from facecli.types import Detections

# trackeval 1.3.0 on what our sort gives for these detections with the parameters of the paper's table, in percent.
# MOTA 62.7, MOTP 73.7, 6 switches and 9 fragments are SORT's own row for TUD-Campus.
EXPECTED = {
    "TUD-Campus": {"mota": 62.674, "motp": 73.677, "idf1": 60.645, "hota": 45.257, "deta": 48.825, "assa": 42.282},
    "TUD-Stadtmitte": {"mota": 71.713, "motp": 75.235, "idf1": 73.467, "hota": 53.034, "deta": 54.909, "assa": 51.273},
}
COUNTS = {"TUD-Campus": (15, 113, 6, 9), "TUD-Stadtmitte": (22, 295, 10, 16)}  # false, missed, switches, fragments


def followed(path):
    """The confirmed boxes that `sort`, as in the paper, gives for a file of detections at 25 frames a second."""
    table = np.loadtxt(path, delimiter=",")
    plugin = Registry(third_party=False).load("trackers", "sort", TrackerPlugin)
    tracker = plugin.load(None, {"max_age": 0.04, "min_hits": 3, "min_iou": 0.3})()
    rows = []
    for frame in range(1, int(table[:, 0].max()) + 1):
        own = table[table[:, 0] == frame]
        own = own[np.argsort(-own[:, 6], kind="stable")]
        corners = np.hstack([own[:, 2:4], own[:, 2:4] + own[:, 4:6]]).astype(np.float32)
        faces = Detections(corners, own[:, 6].clip(0, 1).astype(np.float32))
        answer = tracker.update(faces, 0.04 if frame > 1 else 0.0, None)
        rows += [
            (frame, number, *box)
            for number, box, told in zip(answer.ids, answer.bboxes, answer.confirmed, strict=True)
            if told
        ]
    return boxes_of(rows)


def boxes_of(rows):
    """Boxes of rows (frame, id, x1, y1, x2, y2), all of score 1."""
    found = np.array(rows)
    frames, ids = found[:, 0].astype(np.int64), found[:, 1].astype(np.int64)
    return boxes.Boxes(frames, ids, found[:, 2:].astype(np.float32), np.ones(len(found)))


@pytest.mark.shared
@pytest.mark.parametrize("name", EXPECTED)
def test_sort_repeats_its_papers_row_and_the_figures_are_trackevals(name, shared):
    folder = shared / "data" / "tracking" / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    compared = boxes.compare(boxes.read(folder / "gt.txt"), followed(folder / "det.txt"), 0.5)
    counts, names, whole = clear(compared, 0.5), identity(compared, 0.5), hota(compared)
    got = {"mota": counts.mota, "motp": counts.motp, "idf1": names.idf1}
    got |= {"hota": whole.hota, "deta": whole.detection, "assa": whole.association}
    assert {key: round(100 * value, 3) for key, value in got.items()} == pytest.approx(EXPECTED[name], abs=0.02)
    assert (counts.false, counts.misses, counts.switches, counts.fragments) == COUNTS[name]


def film(*lines):
    """Boxes of lines (frame, id, left, score); all are 10 px wide and high."""
    rows = np.array(lines, float).reshape(-1, 4)
    corners = np.stack([rows[:, 2], 0 * rows[:, 2], rows[:, 2] + 10, 0 * rows[:, 2] + 10], axis=1)
    return boxes.Boxes(rows[:, 0].astype(int), rows[:, 1].astype(int), corners.astype(np.float32), rows[:, 3])


def test_a_perfect_film_has_perfect_figures():
    truth = film(*[(t, person, 100 * person + t, 1) for t in range(1, 8) for person in (1, 2)])
    compared = boxes.compare(truth, truth, 0.5)
    assert clear(compared, 0.5).mota == identity(compared, 0.5).idf1 == 1
    assert hota(compared).hota == pytest.approx(1)


def test_an_id_that_changes_costs_mota_little_and_idf1_much():
    truth = film(*[(t, 1, 0, 1) for t in range(1, 11)])
    tracks = film(*[(t, 1 if t < 6 else 2, 0, 1) for t in range(1, 11)])
    compared = boxes.compare(truth, tracks, 0.5)
    counts = clear(compared, 0.5)
    assert (counts.switches, counts.fragments, counts.mota) == (1, 0, 0.9)
    assert identity(compared, 0.5).idf1 == 0.5


def test_a_gap_is_a_fragment():
    truth = film(*[(t, 1, 0, 1) for t in range(1, 11)], *[(t, 2, 500, 1) for t in range(1, 11)])
    tracks = film(*[(t, 1, 0, 1) for t in (1, 2, 3, 7, 8, 9, 10)], *[(t, 2, 500, 1) for t in range(1, 11)])
    counts = clear(boxes.compare(truth, tracks, 0.5), 0.5)
    assert (counts.misses, counts.switches, counts.fragments, counts.mostly_tracked) == (3, 0, 1, 1)


def test_a_face_that_nobody_has_to_find_is_neither_missed_nor_false():
    truth = film((1, 1, 0, 1), (1, 2, 100, 0), (2, 1, 0, 1))
    for tracks in (film((1, 1, 0, 1), (1, 5, 100, 1), (2, 1, 0, 1)), film((1, 1, 0, 1), (2, 1, 0, 1))):
        compared = boxes.compare(truth, tracks, 0.5)
        counts = clear(compared, 0.5)
        assert (counts.hits, counts.misses, counts.false, compared.people, compared.tracks) == (2, 0, 0, 1, 1)


def test_nothing_found_and_nothing_there():
    truth, none = film((1, 1, 0, 1)), film()
    assert clear(boxes.compare(truth, none, 0.5), 0.5).mota == 0
    assert clear(boxes.compare(none, truth, 0.5), 0.5).mota is None
    assert hota(boxes.compare(none, none, 0.5)) is None
    assert hota(boxes.compare(truth, none, 0.5)).hota == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,1,0,0,10", "no box"),
        ("1,1,0,0,x,10,1", "no box"),
        ("1,1,0,0,-3,10,1", "no box"),
        ("0,1,0,0,10,10,1", "count from 1"),
        ("1,1,0,0,10,10,1\n1,1,5,0,10,10,1", "twice"),
        ("1,1,nan,0,10,10,1", "no box"),
    ],
)
def test_a_file_that_is_no_tracks_is_refused(text, problem, tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text(text)
    with pytest.raises(UsageError, match=problem):
        boxes.read(path)
