"""The river of a film, with a tracker that takes one face for another."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from facecli.film.frame import FilmFacts, Frame
from facecli.matching.metrics import pairwise
from facecli.pipeline.flow import Stopwatch
from facecli.tracking.events import StreamEnded, TrackEnded, TrackJoined, TrackStarted
from facecli.tracking.joining import Likeness
from facecli.tracking.river import Crew, River
from facecli.types import Detections, Image, Tracked

COUNT, MEETING = 40, range(10, 15)
HOME, NEAR, AWAY = (20, 20, 40, 40), (25, 20, 45, 40), (80, 20, 100, 40)


class Black:
    """A film of black frames, 25 a second."""

    facts = FilmFacts("black.mp4", 120, 60, 0, 25.0, COUNT / 25, live=False, sound=False)
    short, dropped = False, 0

    def frames(self, _excerpt=None):
        for number in range(COUNT):
            yield Frame(Image(np.zeros((60, 120, 3), np.uint8), "black.mp4"), number, number / 25)


class Finding:
    """Two faces, which meet."""

    def __init__(self):
        self.number = -1

    def find(self, _image):
        self.number += 1
        boxes = np.array([HOME, NEAR if self.number in MEETING else AWAY], np.float32)
        return Detections(boxes, np.full(2, 0.9, np.float32), None, None), True


class Tracker:
    """Says that the face at home is always the same."""

    def update(self, detections, _seconds, _image):
        return Tracked(
            np.array([1, 2]), detections.bboxes, np.ones(2, bool), np.zeros(0, int), np.zeros((0, 4), np.float32)
        )


class Recognizing:
    """Sees Ada at home before the meeting, and Bob there if they changed places, else Ada again."""

    def __init__(self, *, changed):
        self.changed, self.embedded = changed, 0

    def embed_all(self, tracklets):
        for one in tracklets:
            for look in one.new_looks:
                home, after = look.bbox[0] < 50, look.frame >= MEETING.start
                person = home != (self.changed and after)
                one.embeddings[look.frame] = np.eye(4, dtype=np.float32)[int(person)]
                self.embedded += 1


@pytest.mark.parametrize("changed", [True, False])
def test_a_track_that_became_somebody_else_ends_and_is_joined_with_who_it_is(changed):
    likeness = Likeness(partial(pairwise, metric="cosine"), 0.5)
    crew = Crew(Finding(), Tracker(), Stopwatch(), recognizing=Recognizing(changed=changed), likeness=likeness)
    events = list(River("black.mp4", crew).events(Black()))
    begun = [event.track for event in events if isinstance(event, TrackStarted)]
    ended = {event.track: event for event in events if isinstance(event, TrackEnded)}
    joined = {event.track: event.into for event in events if isinstance(event, TrackJoined)}
    assert set(begun) == set(ended)
    assert isinstance(events[-1], StreamEnded)
    assert events[-1].people == 2
    if changed:
        assert begun == [1, 2, 3, 4]
        assert MEETING.start <= ended[1].frame < MEETING.stop + 10
        assert joined == {3: 2, 4: 1}
    else:
        assert begun == [1, 2]
        assert joined == {}
    assert crew.recognizing.embedded < 0.3 * 2 * COUNT
