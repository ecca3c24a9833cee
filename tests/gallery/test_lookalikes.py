from __future__ import annotations

import pytest

from facecli.gallery import lookalikes as module
from facecli.gallery.index import Index
from facecli.gallery.lookalikes import lookalikes
from tests.gallery.conftest import templates_of


@pytest.mark.parametrize("block", [1, 3, 64])
def test_nearest_pairs_are_those_of_all_pairs(crowd, monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    index = Index(templates_of(*crowd(10, 3)))
    owners = [person for person in range(10) for _ in range(3)]
    distances = index.distances(index.rows)
    expected = sorted(
        (
            min(distances[row, b if owners[row] == a else a] for row in range(30) if owners[row] in (a, b)),
            str(a),
            str(b),
        )
        for a in range(10)
        for b in range(a + 1, 10)
    )
    found = lookalikes(index, 7)
    assert [(one.first, one.second) for one in found] == [(a, b) for _, a, b in expected[:7]]
    assert [one.distance for one in found] == pytest.approx([value for value, _, _ in expected[:7]])
    assert len(lookalikes(index, 1000)) == 45


def test_one_person_has_no_double(crowd):
    assert lookalikes(Index(templates_of(*crowd(1, 3))), 10) == []
