"""Albums of made-up faces: embeddings that lie around a direction of each person."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from facecli.clustering.album import Album
from facecli.pipeline.results import ImageResult
from facecli.types import Detections, FloatArray

DIM = 16


@pytest.fixture
def face() -> Callable[..., FloatArray]:
    """A maker of an embedding of a person, who is a number; a picture's name makes it differ a little."""

    def make(person: int, picture: str) -> FloatArray:
        centre = np.random.default_rng(person).normal(size=DIM)
        noise = np.random.default_rng(int(hashlib.sha256(picture.encode()).hexdigest()[:8], 16)).normal(size=DIM)
        return (centre + 0.2 * noise).astype(np.float32)

    return make


@pytest.fixture
def photograph(face: Callable[..., FloatArray]) -> Callable[..., tuple[ImageResult, bytes]]:
    """A maker of a picture, after the stages, of some people side by side; with the sha256 of its content."""

    def make(name: str, people: Sequence[int], content: str | None = None) -> tuple[ImageResult, bytes]:
        content = content or name
        rows = np.stack([face(person, content) for person in people])
        boxes = np.array([[60 * i, 0, 60 * i + 50, 60] for i in range(len(people))], np.float32)
        found = Detections(boxes, np.full(len(people), 0.9, np.float32), None)
        result = ImageResult(name, 640, 480, len(people), tuple(range(len(people))), detections=found, embeddings=rows)
        return result, hashlib.sha256(content.encode()).digest()

    return make


@pytest.fixture
def album(photograph: Callable[..., tuple[ImageResult, bytes]]) -> Callable[..., Album]:
    """A maker of an album of pictures: name -> the people in it."""

    def make(pictures: dict[str, Sequence[int]]) -> Album:
        made = Album()
        for name, people in pictures.items():
            made.add(*photograph(name, people))
        return made

    return make
