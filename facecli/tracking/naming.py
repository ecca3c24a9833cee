"""Who a track is: few faces are looked at, a name is told when it won twice in a row, and revised in the open."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from facecli.gallery.decision import Identification
from facecli.pipeline.stages import Stages
from facecli.tracking.events import TrackIdentified
from facecli.tracking.looks import Look
from facecli.tracking.tracklet import Tracklet
from facecli.types import FloatArray

TRIES_PER_SECOND, MOST_TRIES = 3.0, 12  # until a name holds
PAUSE = 2.0  # s between two tries once it does
CONFIRM = 2  # times that the same person has to win in a row

Identify = Callable[[FloatArray], Identification]  # of one embedding (D,)


class Recognizing:
    """The recognizer at work on looks. embedded: how many faces it was given."""

    def __init__(self, stages: Stages) -> None:
        self._stages, self.embedded = stages, 0

    def embed(self, pairs: Sequence[tuple[Tracklet, Look]]) -> None:
        """Embed looks, together, and keep the embeddings with their tracklets."""
        if not pairs:
            return
        results = self._stages.describe([look.result for _, look in pairs])
        self.embedded += len(pairs)
        for (tracklet, look), result in zip(pairs, results, strict=True):
            assert result.embeddings is not None
            tracklet.embeddings[look.frame] = result.embeddings[0]

    def embed_all(self, tracklets: Sequence[Tracklet]) -> None:
        """Embed all best looks of tracklets that were not embedded yet."""
        self.embed([(one, look) for one in tracklets for look in one.new_looks])


class Naming:
    """Names the tracks of one film.

    revision: of what `identify` answers from. A new one, as after an enrolment, decides anew about faces that were
    looked at before.
    """

    def __init__(
        self, recognizing: Recognizing, identify: Identify, source: str, revision: Callable[[], int] = lambda: 0
    ) -> None:
        self._recognizing, self._identify, self._source, self._revision = recognizing, identify, source, revision

    def step(self, tracklets: Sequence[Tracklet], frame: int, time: float) -> list[TrackIdentified]:
        """Look at the faces whose turn it is; return the names that were decided by that."""
        revision, told = self._revision(), []
        for one in tracklets:
            if one.revision != revision and one.embeddings:
                one.tries = 0
                told += self._decide(one, frame, time, 1)
            one.revision = revision
        turn = [one for one in tracklets if one.new_looks and self._may_try(one, time)]
        self._recognizing.embed([(one, one.new_looks[0]) for one in turn])
        for one in turn:
            one.tries, one.tried = one.tries + 1, time
            told += self._decide(one, frame, time, CONFIRM)
        return told

    def end(self, tracklet: Tracklet) -> list[TrackIdentified]:
        """Decide at the end of a track, from all its best looks."""
        self._recognizing.embed_all([tracklet])
        return self._decide(tracklet, tracklet.last_frame, tracklet.last_time, 1)

    def _may_try(self, one: Tracklet, time: float) -> bool:
        if one.answer is not None and one.answer.person is not None:
            return time >= one.tried + PAUSE
        return one.tries < MOST_TRIES and time >= one.tried + 1 / TRIES_PER_SECOND

    def _decide(self, one: Tracklet, frame: int, time: float, confirm: int) -> list[TrackIdentified]:
        mean = one.mean()
        if mean is None:
            return []
        answer = self._identify(mean)
        one.won = one.won + 1 if answer.person == one.winner else 1
        one.winner = answer.person
        before = None if one.answer is None else one.answer.person
        if one.won < confirm:
            return []
        one.answer = answer
        if answer.person == before:
            return []
        return [TrackIdentified(self._source, one.number, frame, time, answer, len(one.embeddings), before)]
