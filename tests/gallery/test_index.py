from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecli.errors import UsageError
from facecli.gallery.index import SCORES, Index
from tests.gallery.conftest import templates_of


def cosine_distance(a, b):
    """By the textbook, in Python's own floats."""
    a, b = [float(v) for v in a], [float(v) for v in b]
    lengths = math.sqrt(sum(v * v for v in a)) * math.sqrt(sum(v * v for v in b))
    return 1 - (sum(x * y for x, y in zip(a, b, strict=True)) / lengths if lengths else 0)


def by_hand(probe, embeddings, people, score):
    answer = []
    for person in sorted(set(people)):
        rows = [row for row, owner in zip(embeddings, people, strict=True) if owner == person]
        best = min(cosine_distance(probe, row) for row in rows)
        scaled = [[float(v) / (math.sqrt(sum(float(w) ** 2 for w in row)) or 1) for v in row] for row in rows]
        centroid = cosine_distance(probe, [sum(column) / len(rows) for column in zip(*scaled, strict=True)])
        answer.append({"best": best, "centroid": centroid, "blend": (best + centroid) / 2}[score])
    return answer


@pytest.mark.parametrize("score", SCORES)
def test_distances_are_those_of_a_search_by_hand(crowd, score):
    embeddings, people = crowd(7, 3)
    embeddings[4] = 0  # a template that says nothing
    probes = crowd(4, 1, seed=9)[0]
    found = Index(templates_of(embeddings, people), score).distances(probes)
    expected = [by_hand(probe, embeddings, people, score) for probe in probes]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=1, max_size=12), st.data())
def test_small_numbers_with_many_ties(rows, data):
    people = sorted(data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))))
    embeddings = np.array(rows, np.float32)
    index = Index(templates_of(embeddings, people))
    probe = np.array([data.draw(st.lists(st.integers(-2, 2), min_size=3, max_size=3))], np.float32)
    np.testing.assert_allclose(index.distances(probe)[0], by_hand(probe[0], embeddings, people, "blend"), atol=1e-12)
    assert index.names == [str(person) for person in sorted(set(people))]


def test_length_of_an_embedding_does_not_matter(crowd):
    embeddings, people = crowd(5, 2)
    probes = crowd(3, 1, seed=3)[0]
    plain, longer = (Index(templates_of(factor * embeddings, people)) for factor in (1, 1000))
    np.testing.assert_allclose(plain.distances(probes), longer.distances(0.001 * probes), atol=1e-7)


def test_nobody_is_at_no_distance():
    index = Index(templates_of(np.zeros((0, 16), np.float32), []))
    assert index.distances(np.ones((2, 16), np.float32)).shape == (2, 0)


def test_own_person_is_left_out(crowd):
    embeddings, people = crowd(4, 3)
    index = Index(templates_of(embeddings, people))
    nearest = index.without_own([0, 5, 11])
    for row, found in zip((0, 5, 11), nearest, strict=True):
        others = [i for i, person in enumerate(people) if person != people[row]]
        rest = Index(templates_of(embeddings[others], [people[i] for i in others]))
        assert found == pytest.approx(rest.distances(embeddings[[row]]).min())


def test_score_that_there_is_not():
    with pytest.raises(UsageError, match="no score 'sum'"):
        Index(templates_of(np.zeros((0, 16), np.float32), []), "sum")  # type: ignore[arg-type]
