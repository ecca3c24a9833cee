"""Cameras and streams, which go on whether somebody reads them or not: the newest frame counts, and breaks pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from facecli.errors import FacecliError, FetchError, InputError
from facecli.film.address import Address
from facecli.film.frame import MAX_PIXELS, Choice, Excerpt, Frame, Gap
from facecli.film.reading import Film

PAUSE = 1.0  # s until a lost source is tried again, however long it is gone: a camera that is back is seen at once


class Live:
    """A source that is read by a thread of its own, which keeps the newest frame alone.

    film: the source, opened for the first time. reopen: opens it again after a break. retries: how many times in a row,
    None for ever. dropped: frames that nobody took in time. short is False: nobody knows how long a camera goes on.
    """

    def __init__(self, film: Film, reopen: Callable[[], Film], *, retries: int | None = None) -> None:
        self.facts = film.facts
        self.short, self.dropped = False, 0
        self._film, self._reopen, self._retries = film, reopen, retries
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._gaps: list[Gap] = []
        self._failure: Exception | None = None
        self._over = self._stopping = False
        self._begin, self._latest = time.monotonic(), 0.0

    def frames(self, excerpt: Excerpt | None = None) -> Iterator[Frame | Gap]:
        """Yield the newest frame whenever the caller is ready for one, and each break; once.

        Times go on through breaks. An excerpt's begin is its own: a live source has none. Raises the last error of a
        source that does not come back.
        """
        choice = Choice(replace(excerpt or Excerpt(), start=0.0))
        threading.Thread(target=self._read, name="live film", daemon=True).start()
        for one in self._taken(choice.part.duration):
            if isinstance(one, Gap):
                yield one
            elif choice.wants(one.time):
                yield replace(one, number=choice.taken - 1)
            if choice.over:
                return
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the frames soon, from any thread; what was read before is still yielded."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let the thread go; it may wait for a silent source for some seconds, and closes it then."""
        self.stop()

    def _taken(self, duration: float | None) -> Iterator[Frame | Gap]:
        """Yield what the thread has put down."""
        while True:
            with self._changed:
                while not (self._gaps or self._newest or self._over or self._stopping):
                    left = None if duration is None else duration - (time.monotonic() - self._begin)
                    if left is not None and left <= 0:
                        return
                    self._changed.wait(1.0 if left is None else min(left, 1.0))
                gaps, self._gaps = self._gaps, []
                frame, self._newest = self._newest, None
                ended = self._stopping or self._over
            yield from gaps
            if frame is not None:
                yield frame
            elif ended:
                return

    def _read(self) -> None:
        """Read the source until it is gone for good or nobody wants it any more; the work of the thread."""
        try:
            self._read_on()
        except Exception as failure:  # noqa: BLE001 # the thread that waits for frames must hear of a bug
            self._failure = failure
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _read_on(self) -> None:
        film: Film | None = self._film
        attempt = 0
        while not self._stopping:
            failure: FacecliError | None = None
            try:
                film = film or self._reopen()
                shift: float | None = None
                for frame in film.frames():
                    attempt = 0
                    # The source's own clock tells times apart; each connection begins it anew.
                    shift = self._now() - frame.time if shift is None else shift
                    self._put(replace(frame, time=frame.time + shift, wall=time.time()))
                    if self._stopping:
                        break
            except FacecliError as error:
                failure = error
            if film is not None:
                film.close()
                film = None
            attempt += 1
            if self._stopping or not self._wait(attempt, failure):
                return

    def _now(self) -> float:
        """Return the seconds since the begin; a source that sends faster than it films is ahead of the clock."""
        return max(time.monotonic() - self._begin, self._latest)

    def _put(self, frame: Frame) -> None:
        with self._changed:
            self.dropped += self._newest is not None
            self._newest, self._latest = frame, frame.time
            self._changed.notify_all()

    def _wait(self, attempt: int, failure: FacecliError | None) -> bool:
        """Tell a break, or not, and wait until it is time for the next try. Return whether there is one."""
        again = self._retries is None or attempt <= self._retries
        reason = "the stream has ended" if failure is None else failure.message
        with self._changed:
            if _told(attempt) or not again:
                self._gaps.append(Gap(self._now(), time.time(), reason, attempt, PAUSE if again else None))
            self._failure = None if again else failure
            self._changed.notify_all()
            return again and not self._changed.wait_for(lambda: self._stopping, PAUSE)


def open_film(address: Address, *, max_pixels: int = MAX_PIXELS, retries: int | None = None) -> Film | Live:
    """Open a film, camera or stream, which tells by its facts whether it is live. Raises FacecliError.

    retries: how many times in a row a live source is tried again after a break, None for ever; also where it does not
    open at first, which is told at once for None.
    """

    def again() -> Film:
        return Film(address, max_pixels=max_pixels)

    film = _opened(again, (retries or 0) if address.live else 0)
    return Live(film, again, retries=retries) if film.facts.live else film


def _opened(opening: Callable[[], Film], retries: int) -> Film:
    """Open a film, and try again so often where nothing answers. Raises the last error."""
    for _ in range(retries):
        try:
            return opening()
        except (FetchError, InputError):
            time.sleep(PAUSE)
    return opening()


def _told(attempt: int) -> bool:
    """Return whether a try that failed is told: the 1st, 2nd, 4th and so on, so that a night's break is a few lines."""
    return attempt & (attempt - 1) == 0
