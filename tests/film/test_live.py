"""Live sources: a socket of this process plays the camera."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facecli.errors import FetchError
from facecli.film.address import address_of
from facecli.film.frame import Excerpt, Frame, Gap
from facecli.film.live import Live, open_film
from facecli.film.reading import Film

Camera = Callable[[int], str]


@pytest.fixture
def camera(film: Callable[..., Path]) -> Iterator[Camera]:
    """A function that starts a camera of ten frames and returns its address; so many connections get an answer."""
    data = film("film.ts").read_bytes()
    listening: list[socket.socket] = []

    def start(connections: int) -> str:
        place = socket.create_server(("127.0.0.1", 0))
        listening.append(place)

        def answer() -> None:
            for _ in range(connections):
                connection, _ = place.accept()
                with connection:
                    connection.sendall(data)
            place.close()

        threading.Thread(target=answer, daemon=True).start()
        return f"tcp://127.0.0.1:{place.getsockname()[1]}"

    yield start
    for place in listening:
        place.close()


def opened(camera: Camera, connections: int, retries: int) -> Live:
    live = open_film(address_of(camera(connections)), retries=retries)
    assert isinstance(live, Live)
    return live


def test_a_stream_that_breaks_off_is_read_on_when_it_is_back(camera: Camera) -> None:
    live = opened(camera, 2, retries=1)
    seen: list[Frame | Gap] = []
    with pytest.raises(FetchError, match="does not answer"):
        seen += live.frames()
    kinds = [type(one) for one in seen]
    gaps = [one for one in seen if isinstance(one, Gap)]
    assert [(gap.attempt, gap.retry_in) for gap in gaps] == [(1, 1.0), (1, 1.0), (2, None)]
    assert kinds[0] is kinds[kinds.index(Gap) + 1] is Frame
    assert "ended" in gaps[0].reason
    times = [one.time for one in seen]
    assert times == sorted(times)
    frames = [one for one in seen if isinstance(one, Frame)]
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert len(frames) + live.dropped == 20
    assert all(frame.wall is not None for frame in frames)


def test_somebody_slow_gets_the_newest_frame(camera: Camera) -> None:
    live = opened(camera, 1, retries=0)
    frames = live.frames()
    first = next(frames)
    assert isinstance(first, Frame)
    deadline = time.monotonic() + 60
    while live.dropped < 5:
        assert time.monotonic() < deadline, "the thread does not read on"
        time.sleep(0.01)
    rest = [one for one in frames if isinstance(one, Frame)]
    assert live.dropped + 1 + len(rest) == 10
    assert rest[-1].image.pixels[0, -1, 0] > 80  # the last one, whose grey is 90


def test_frames_can_be_few_and_the_end_can_be_told(camera: Camera) -> None:
    live = opened(camera, 1, retries=0)
    assert len([one for one in live.frames(Excerpt(max_frames=1)) if isinstance(one, Frame)]) == 1
    live = opened(camera, 1, retries=0)
    live.stop()
    assert all(isinstance(one, Frame) for one in live.frames())


def test_a_live_source_has_a_date_and_no_duration(camera: Camera) -> None:
    facts = opened(camera, 1, retries=0).facts
    assert (facts.live, facts.duration) == (True, None)
    assert facts.began is not None


def test_a_stream_that_is_not_there_yet_is_tried_again(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        late = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    address = address_of(camera(1))
    waits: list[float] = []
    monkeypatch.setattr("facecli.film.live.time.sleep", waits.append)
    with pytest.raises(FetchError, match="does not answer"):
        open_film(address_of(late), retries=2)
    assert waits == [1.0, 1.0]
    with pytest.raises(FetchError, match="does not answer"):
        open_film(address_of(late))
    assert len(waits) == 2
    open_film(address, retries=2).close()
    assert len(waits) == 2


def test_a_source_that_is_long_gone_is_tried_as_often_and_told_rarely(
    film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facecli.film.live.PAUSE", 0.0)
    address = address_of(str(film("film.ts")))
    tries = 0

    def reopen() -> Film:
        nonlocal tries
        tries += 1
        if tries <= 100:
            raise FetchError("the camera does not answer")
        live.stop()
        return Film(address)

    live = Live(Film(address), reopen)
    gaps = [one for one in live.frames() if isinstance(one, Gap)]
    assert [gap.attempt for gap in gaps[1:]] == [2, 4, 8, 16, 32, 64]
    assert tries == 101
    assert {gap.retry_in for gap in gaps} == {0.0}
