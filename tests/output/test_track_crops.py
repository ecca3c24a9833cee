"""Crops of tracks, and where they lie once it is known who was one person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facecli.film.frame import FilmFacts
from facecli.gallery.decision import Identification
from facecli.output.track_crops import Crops
from facecli.tracking.events import BestFace, StreamStarted, TrackEnded, TrackJoined

BOX = np.array([1, 2, 30, 40], np.float32)


def ended(track: int, person: str | None = None, *, known: bool = True, source: str = "door.mp4") -> TrackEnded:
    """The end of a track that a gallery has named, or not."""
    best = BestFace(track, 0.0, BOX, 1.0, np.full((40, 40, 3), 90, np.uint8))
    answer = Identification(person, "accepted" if person else "unknown", (), None, None) if known else None
    return TrackEnded(source, track, 9, 0.4, 0, 0.0, 10, best, answer)


def lying(folder: Path) -> set[str]:
    """The files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")}


def test_a_part_of_somebody_known_moves_to_them(tmp_path):
    crops = Crops(tmp_path, ["door.mp4"])
    written = {one.track: crops.take(one)[0] for one in (ended(1), ended(2, "Ada"), ended(3), ended(4))}
    assert lying(tmp_path) == {"Ada/door-t2-2.jpg", *(f"unknown/door-t{track}-{track}.jpg" for track in (1, 3, 4))}
    for track in (2, 3):
        assert crops.take(TrackJoined("door.mp4", track, 1, 0.4, 0.2)) == []
    moved = crops.settle("door.mp4")
    assert [*moved] == [written[1], written[3]]
    assert all(Path(new).is_file() for new in moved.values())
    assert lying(tmp_path) == {*(f"Ada/door-t{track}-{track}.jpg" for track in (1, 2, 3)), "unknown/door-t4-4.jpg"}


def test_what_two_names_claim_stays_where_it_is(tmp_path):
    crops = Crops(tmp_path, ["door.mp4"])
    for one in (ended(1, "Ada"), ended(2, "Eve"), TrackJoined("door.mp4", 2, 1, 0.4, 0.2)):
        crops.take(one)
    assert crops.settle("door.mp4") == {}
    assert lying(tmp_path) == {"Ada/door-t1-1.jpg", "Eve/door-t2-2.jpg"}


def test_an_empty_folder_of_nobody_goes(tmp_path):
    crops = Crops(tmp_path, ["door.mp4"])
    for one in (ended(1), ended(2, "Ada"), TrackJoined("door.mp4", 2, 1, 0.4, 0.2)):
        crops.take(one)
    crops.settle("door.mp4")
    assert {path.name for path in tmp_path.iterdir()} == {"Ada"}


@pytest.mark.parametrize("known", [True, False])
def test_nobody_moves_where_nobody_is_known(tmp_path, known):
    crops = Crops(tmp_path, ["door.mp4"])
    for one in (ended(1, known=known), ended(2, known=known), TrackJoined("door.mp4", 2, 1, 0.4, 0.2)):
        crops.take(one)
    assert crops.settle("door.mp4") == {}
    assert len(lying(tmp_path)) == 2


def test_names_follow_the_order_of_the_inputs_and_not_of_the_tracks(tmp_path):
    crops = Crops(tmp_path, ["in/cam.mp4", "out/cam.mp4"])
    for source in ("out/cam.mp4", "in/cam.mp4"):
        crops.take(ended(1, source=source))
        crops.take(ended(2 if source[0] == "i" else 3, source=source))
    assert lying(tmp_path) == {f"unknown/{name}.jpg" for name in ("cam-t1-1", "cam-t2-2", "cam-2-t1-1", "cam-2-t3-3")}


def test_a_camera_that_begins_again_keeps_its_earlier_crops(tmp_path):
    source = "rtsp://door/cam"
    for began in (1795976130.25, 1795976130.5):
        crops = Crops(tmp_path, [source])
        crops.take(StreamStarted(FilmFacts(source, 64, 48, 0, 25.0, None, live=True, sound=False, began=began)))
        crops.take(ended(1, source=source))
    assert lying(tmp_path) == {f"unknown/cam-20261129T181530.{part}Z-t1-1.jpg" for part in (250, 500)}
