from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facecli.gallery import nearest as module
from facecli.gallery import quantized
from facecli.gallery.index import SCORES, Index
from facecli.gallery.nearest import nearest
from tests.gallery.conftest import brute_force, templates_of


@pytest.fixture(scope="module", autouse=True)
def small_steps() -> Iterator[None]:
    """Few rows at a time, so that few rows take all the ways that a million take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRST", 2)
        patch.setattr(module, "GROWTH", 2)
        patch.setattr(quantized, "BLOCK", 8)
        yield


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("top", [1, 2, 5, 100])
def test_nearest_people_are_those_of_brute_force(crowd, score, top):
    embeddings, people = crowd(40, 3)
    embeddings[7] = 0  # a template that says nothing
    index = Index(templates_of(embeddings, people), score)
    probes = np.concatenate([crowd(70, 1, seed=5)[0], embeddings[:5], np.zeros((1, 16), np.float32)])
    for probe, found in zip(probes, nearest(probes, index, top), strict=True):
        assert found == brute_force(probe, embeddings, people, score, top)


def test_few_rows_are_compared_in_full(crowd, monkeypatch):
    embeddings, people = crowd(500, 2, spread=0.3)
    asked = []
    exact = Index.exact
    monkeypatch.setattr(Index, "exact", lambda self, probe, own: asked.append(len(own)) or exact(self, probe, own))
    found = nearest(embeddings[::100], Index(templates_of(embeddings, people)), 1)
    assert [answer[0] for answer, _ in found] == people[::100]
    assert sum(asked) < 10 * 100  # of 10 * 500


@settings(deadline=None)
@given(st.data())
def test_ties_among_small_numbers(data):
    """Directions that are equal, opposite, or nothing, over and over: people at one distance are in their order."""
    count = data.draw(st.integers(1, 60))
    numbers = st.lists(st.integers(-1, 1), min_size=2, max_size=2)
    rows = np.array(data.draw(st.lists(numbers, min_size=count, max_size=count)), np.float32)
    people = sorted(data.draw(st.lists(st.integers(0, 40), min_size=count, max_size=count)))
    probe = np.array(data.draw(numbers), np.float32)
    score, top = data.draw(st.sampled_from(SCORES)), data.draw(st.integers(1, 5))
    index = Index(templates_of(rows, people), score)
    ((places, distances),) = nearest(probe[None], index, top)
    assert (places, distances) == brute_force(probe, rows, people, score, top)


def test_nobody_is_near_to_anybody_among_nobody():
    assert nearest(np.ones((2, 16), np.float32), Index(templates_of(np.zeros((0, 16), np.float32), [])), 3) == [
        ([], []),
        ([], []),
    ]
    assert nearest(np.zeros((0, 16), np.float32), Index(templates_of(np.ones((1, 16), np.float32), [1])), 3) == []
