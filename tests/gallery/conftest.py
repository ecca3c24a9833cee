"""Galleries of made-up people: embeddings that lie around a direction of each person."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from facecli.gallery.space import Space
from facecli.gallery.store.records import NewFace, Templates
from facecli.gallery.store.store import GalleryStore
from facecli.types import FloatArray

DIM = 16
SPACE = Space({"recognizer": "made-up", "models": ["0" * 64], "parameters": {}, "detector": "yunet"}, DIM)


def face_of(embedding: FloatArray, picture: str, x: float = 0.0) -> NewFace:
    """A face at x px in a picture of this name."""
    bbox = np.array([x, 0, x + 50, 60], np.float32)
    sha256 = hashlib.sha256(picture.encode()).digest()
    return NewFace(sha256, picture, 640, 480, bbox, np.zeros((5, 2), np.float32), 0.9, embedding)


def templates_of(embeddings: FloatArray, people: list[int]) -> Templates:
    """Templates of people, who are numbers in ascending order, and called so."""
    names = {person: str(person) for person in people}
    return Templates(embeddings, tuple(range(len(people))), tuple(people), names, 1)


@pytest.fixture
def staffed(store: GalleryStore) -> GalleryStore:
    """A gallery of Ada and Grace, three pictures each."""
    rng = np.random.default_rng(1)
    for name in ("Ada", "Grace"):
        centre = rng.normal(size=DIM)
        for number in range(3):
            embedding = (centre + rng.normal(size=DIM) / 5).astype(np.float32)
            store.add(name, face_of(embedding, f"people/{name}/{number}.jpg"), SPACE)
    return store


@pytest.fixture
def faster(staffed: GalleryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A maker of what another program changes in a staffed gallery just before its next change begins."""
    other, waiting = GalleryStore(staffed.path), []
    begun = staffed.database.transaction

    @contextmanager
    def transaction(**how: Any) -> Iterator[None]:
        while how.get("revises", True) and waiting:
            waiting.pop()(other)
        with begun(**how):
            yield

    monkeypatch.setattr(staffed.database, "transaction", transaction)
    yield waiting.append
    other.close()
    assert waiting == []


@pytest.fixture
def crowd() -> Callable[..., tuple[FloatArray, list[int]]]:
    """A maker of (embeddings, people): so many people with so many templates each."""

    def make(people: int, each: int, seed: int = 0, spread: float = 0.7) -> tuple[FloatArray, list[int]]:
        rng = np.random.default_rng(seed)
        centres = rng.normal(size=(people, 1, DIM))
        rows = centres + spread * rng.normal(size=(people, each, DIM))
        return rows.reshape(-1, DIM).astype(np.float32), [person for person in range(people) for _ in range(each)]

    return make


def brute_force(
    probe: FloatArray, embeddings: FloatArray, people: list[int], score: str, top: int
) -> tuple[list[int], list[float]]:
    """The nearest people, as places among all, with their distances: each compared alone, in float64."""

    def unit(rows: np.ndarray) -> np.ndarray:
        wide = np.asarray(rows, np.float64)
        lengths = np.linalg.norm(wide, axis=1, keepdims=True)
        return np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)

    one, distances = unit(probe[None])[0], []
    for person in sorted(set(people)):
        rows = unit(np.stack([row for row, owner in zip(embeddings, people, strict=True) if owner == person]))
        best = float((rows * one).sum(axis=1).max())
        centroid = float((unit(np.add.reduceat(rows, [0]) / len(rows)) * one).sum(axis=1)[0])
        distances.append(1.0 - {"best": best, "centroid": centroid, "blend": (best + centroid) / 2}[score])
    order = sorted(range(len(distances)), key=lambda place: (distances[place], place))[:top]
    return order, [distances[place] for place in order]
