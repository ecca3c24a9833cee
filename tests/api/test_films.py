"""`Faces.track`: the events of a film."""

from __future__ import annotations

import pytest

from facecli import Faces
from facecli.errors import DecodeError, UsageError
from facecli.film.frame import Excerpt
from facecli.tracking.events import FrameSeen, StreamEnded, StreamStarted, TrackEnded

pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")


def test_events_come_as_they_happen(door, examples, tmp_path):
    faces = Faces()
    people = faces.gallery(tmp_path / "staff.db")
    people.enroll(examples / "collins.jpg", "Eileen")
    events = list(faces.track(door[0], gallery=people, excerpt=Excerpt(max_frames=8)))
    assert isinstance(events[0], StreamStarted)
    frames = [event for event in events if isinstance(event, FrameSeen)]
    assert [frame.frame for frame in frames] == list(range(8))
    assert frames[0].pixels.shape == (270, 480, 3)
    ended = [event for event in events if isinstance(event, TrackEnded)]
    assert {event.answer.person for event in ended} == {"Eileen", None}
    assert isinstance(events[-1], StreamEnded)
    assert (events[-1].people, events[-1].error) == (2, None)
    people.close()


def test_a_film_can_be_left_in_the_middle(door):
    events = Faces().track(door[0], join=False)
    assert isinstance(next(events), StreamStarted)
    events.close()


def test_a_track_ends_with_its_best_looks(door):
    (ended, *_) = [one for one in Faces().track(door[0], join=False, crops_per_track=2) if isinstance(one, TrackEnded)]
    (further,) = ended.further
    assert ended.best.quality >= further.quality
    assert abs(ended.best.time - further.time) >= 0.2 - 1e-6


def test_what_is_no_film_is_an_error_at_once(examples, tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(DecodeError, match="can not be read as a film"):
        Faces().track(tmp_path / "empty.mp4")
    with pytest.raises(UsageError, match="every"):
        Faces().track(tmp_path / "empty.mp4", every=0)
