"""Average linkage against the textbook: merge the nearest allowed pair, one after the other, over all distances."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from facecli.clustering import linkage
from facecli.clustering.linkage import average_linkage, clusters_of


def made_up(people: int, each: int, seed: int, spread: float = 0.7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(people, 1, 16)) + spread * rng.normal(size=(people, each, 16))
    rows = rows.reshape(-1, 16)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def textbook(rows, threshold, together=(), apart=()):
    """The partition, as a set of sets."""
    merged = {row for group in together for row in group}
    clusters = [frozenset(group) for group in together] + [frozenset({r}) for r in range(len(rows)) if r not in merged]
    distances = 1 - rows @ rows.T

    def allowed(a, b):
        return not any(set(group) & a and set(group) & b for group in apart)

    while True:
        pairs = [
            (float(np.mean([distances[i, j] for i in a for j in b])), a, b)
            for a, b in itertools.combinations(clusters, 2)
            if allowed(a, b)
        ]
        nearest = min(pairs, key=lambda pair: pair[0], default=None)
        if nearest is None or nearest[0] > threshold:
            return set(clusters)
        clusters = [one for one in clusters if one not in nearest[1:]] + [nearest[1] | nearest[2]]


def partition(labels) -> set[frozenset[int]]:
    return {frozenset(places) for places in clusters_of(labels)}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.15, 0.4, 0.7, 1.1])
def test_it_is_the_textbooks_result(seed, threshold, monkeypatch):
    monkeypatch.setattr(linkage, "BLOCK", 7)  # several blocks, the last one short
    rows = made_up(6, 5, seed)
    assert partition(average_linkage(rows, threshold)) == textbook(rows, threshold)


@pytest.mark.parametrize("seed", range(6))
def test_so_it_is_with_what_is_known(seed):
    rows = made_up(5, 6, seed, spread=0.9)
    rng = np.random.default_rng(seed)
    together = [[0, 7, 14], [20, 3]]
    apart = [rng.choice(30, 4, replace=False).tolist() for _ in range(6)] + [[0, 20]]
    apart = [group for group in apart if not any(len(set(group) & set(own)) > 1 for own in together)]
    for threshold in (0.4, 0.8):
        found = partition(average_linkage(rows, threshold, together, apart))
        assert found == textbook(rows, threshold, together, apart)
        for group in apart:
            assert all(len(cluster & set(group)) <= 1 for cluster in found)


def test_the_order_of_the_rows_decides_nothing():
    rows = made_up(8, 6, 3)
    order = np.random.default_rng(1).permutation(len(rows))
    back = {frozenset(order[list(one)].tolist()) for one in partition(average_linkage(rows[order], 0.5))}
    assert back == partition(average_linkage(rows, 0.5))


def test_a_label_is_the_first_row_of_its_cluster():
    labels = average_linkage(made_up(4, 5, 0), 0.5)
    assert all(labels[places[0]] == places[0] == min(places) for places in clusters_of(labels))


def test_equal_distances_end_and_copies_are_together():
    copies = np.repeat(np.eye(16)[:5], 6, axis=0)
    assert partition(average_linkage(copies, 0.5)) == {frozenset(range(6 * i, 6 * i + 6)) for i in range(5)}
    corners = np.eye(12)  # all pairs equally far apart
    assert len(partition(average_linkage(corners, 1.0))) == 1
    assert len(partition(average_linkage(corners, 0.999))) == 12


def test_copies_in_one_picture_stay_apart():
    copies = np.repeat(np.eye(16)[:1], 6, axis=0)
    found = partition(average_linkage(copies, 0.5, apart=[range(3), range(3, 6)]))
    assert [len(one) for one in found] == [2, 2, 2]
    assert all(min(one) < 3 <= max(one) for one in found)


def test_many_copies_pair_off_in_a_few_rounds(monkeypatch):
    rounds = []
    find_nearest = linkage._Clusters.find_nearest

    def counted(self, wanted):
        rounds.append(len(wanted))
        find_nearest(self, wanted)

    monkeypatch.setattr(linkage._Clusters, "find_nearest", counted)
    assert partition(average_linkage(np.repeat(np.eye(16)[:1], 256, axis=0), 0.5)) == {frozenset(range(256))}
    assert len(rounds) <= 16  # one merge a round took 255


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows(count):
    assert average_linkage(np.eye(16, dtype=np.float32)[:count], 0.5).tolist() == list(range(count))
