"""The people of a film's frames, once its end has told who was joined."""

from __future__ import annotations

import numpy as np

from facecli.output.mot_file import Mot
from facecli.output.sightings import Sightings
from facecli.tracking.events import FrameSeen, SeenFace, TrackJoined

PIXELS = np.zeros((10, 10, 3), np.uint8)


def frame(number, *tracks):
    """A frame with a face of each of these tracks."""
    faces = [
        SeenFace(track, np.array([track, 0, track + 5, 5], np.float32), 0.9, None, True, False) for track in tracks
    ]
    return FrameSeen("a.mp4", number, number / 25, tuple(faces), True, PIXELS)


def seen_by(one):
    """A taker of a film in which tracks 5 and 2 are one person, and overlap; so are 7, 8 and 3."""
    for event in (frame(0, 2), frame(1, 5, 2), frame(2, 5), frame(3, 8, 7)):
        one.take(event)
    for track, into in ((5, 2), (7, 3), (8, 3)):
        one.take(TrackJoined("a.mp4", track, into, 1.0, 0.1))
    return one


def test_nobody_is_twice_in_a_frame():
    seen = seen_by(Sightings())
    assert [seen.people(faces) for faces in seen.frames()] == [[2], [5, 2], [2], [8, 3]]


def test_a_file_of_boxes_has_each_id_once_in_a_frame(tmp_path):
    seen_by(Mot()).write(tmp_path / "boxes.txt")
    lines = [line.split(",")[:3] for line in (tmp_path / "boxes.txt").read_text().splitlines()]
    assert [(row[0], row[1]) for row in lines] == [
        ("1", "2"),
        ("2", "5"),
        ("2", "2"),
        ("3", "2"),
        ("4", "8"),
        ("4", "3"),
    ]
    assert [row[2] for row in lines] == ["2.00", "5.00", "2.00", "5.00", "8.00", "7.00"]
