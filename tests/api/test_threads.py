"""One Faces in many threads, many pictures in bounded memory, and the end of both."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import facecli
from facecli import Faces
from facecli.errors import UsageError
from facecli.inference import runtime
from facecli.types import UInt8Array


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the model files whose sessions were opened."""
    names: list[str] = []
    real = runtime.open_session

    def counting(path: Path, **settings: object) -> object:
        names.append(path.name)
        return real(path, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(runtime, "open_session", counting)
    return names


@pytest.fixture(scope="module")
def small(examples: Path) -> UInt8Array:
    """A portrait of a fifth of a second."""
    return np.ascontiguousarray(facecli.read(examples / "hopper.jpg")[60:320:2, 100:340:2])


def test_eight_threads_load_each_model_once_and_get_equal_answers(examples: Path, opened: list[str]) -> None:
    paths = [examples / name for name in ("hopper.jpg", "collins.jpg", "collins_variant.jpg")]
    start = threading.Barrier(8)
    with Faces(threads=1) as faces:

        def work(number: int) -> list[dict[str, object]]:
            start.wait()
            order = paths[number % 3 :] + paths[: number % 3]
            answers = {path: faces.analyze(path, embed=True).record() for path in order}
            return [answers[path] for path in paths]

        with ThreadPoolExecutor(8) as pool:
            first, *others = list(pool.map(work, range(8)))
        assert others == [first] * 7
        faces.detect(paths[0])
        faces.verify(*paths[:2])
    assert sorted(opened) == sorted({*opened})
    assert len(opened) == 4  # yunet, sface, and two models of attributes


@pytest.mark.parametrize(("jobs", "batch_size"), [(1, 1), (1, 4), (3, 2)])
def test_pictures_are_taken_as_they_are_needed(small: UInt8Array, jobs: int, batch_size: int) -> None:
    taken = 0

    def endless() -> Iterator[UInt8Array]:
        nonlocal taken
        while True:
            taken += 1
            yield small

    with Faces(jobs=jobs, batch_size=batch_size, threads=1, min_face_size=40) as faces:
        for answered, picture in enumerate(faces.run(endless()), 1):
            assert picture.faces_found == 1
            assert taken <= answered + (jobs + 2) * batch_size
            if answered == 24:
                break


def test_two_hundred_pictures_leave_none_behind(small: UInt8Array) -> None:
    alive: list[weakref.ref[UInt8Array]] = []

    def pictures() -> Iterator[UInt8Array]:
        for _ in range(200):
            pixels = small.copy()
            alive.append(weakref.ref(pixels))
            yield pixels

    with Faces(jobs=2, threads=1, min_face_size=60) as faces:
        for number, picture in enumerate(faces.run(pictures())):
            assert picture.error is None
            if number % 50 == 49:
                gc.collect()
                assert sum(one() is not None for one in alive) <= 5
    assert len(alive) == 200


def test_the_end_of_the_block_frees_the_models(examples: Path) -> None:
    with Faces() as faces:
        faces.detect(examples / "hopper.jpg")
        detector = weakref.ref(faces.engine.tools(faces.engine.request(()), strict=False).detector)
    gc.collect()
    assert detector() is None
    for call in (faces.detect, faces.embed, faces.analyze, faces.run, lambda value: faces.verify(value, value)):
        with pytest.raises(UsageError, match="closed"):
            call(examples / "hopper.jpg")
    faces.close()


def test_a_run_under_way_ends_as_it_would(small: UInt8Array) -> None:
    faces = Faces(jobs=2)
    run = faces.run([small] * 6)
    assert next(run).faces_found == 1
    faces.close()
    assert [picture.faces_found for picture in run] == [1] * 5


def test_decoded_pictures_are_kept_on_request(faces: Faces, small: UInt8Array) -> None:
    (plain,) = faces.run(small)
    (kept,) = faces.run(small, keep_image=True)
    assert plain.result.image is None
    assert kept.result.image is not None and np.array_equal(kept.result.image.pixels, small)
