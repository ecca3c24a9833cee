from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from facecli.errors import UsageError
from facecli.gallery import graph
from facecli.gallery.index import Index, unit
from facecli.gallery.nearest import nearest
from facecli.gallery.store import cache, forgetting, graph_file
from tests.gallery.conftest import DIM, SPACE, face_of, templates_of


@pytest.fixture
def faiss():
    return pytest.importorskip("faiss")


def file(store):
    return store.path.with_name("staff.db.index-graph")


def made(monkeypatch):
    """Count the graphs that are built."""
    counts = []
    built = graph.built
    monkeypatch.setattr(graph, "built", lambda count, *rest: counts.append(count) or built(count, *rest))
    return counts


@pytest.mark.usefixtures("faiss")
def test_graphs_are_made_once_for_each_state(staffed, monkeypatch):
    counts = made(monkeypatch)
    for _ in range(2):
        graph_file.open_index(staffed, least=1)
    assert counts == [6, 2]  # templates and people
    assert file(staffed).stat().st_mode & 0o777 == 0o600
    staffed.add("Emmy", face_of(np.ones(DIM, np.float32), "emmy.jpg"), SPACE)
    assert graph_file.open_index(staffed, least=1).names == ["Ada", "Grace", "Emmy"]
    assert counts == [6, 2, 7, 3]


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: text[:9], lambda text: text[:-9] + bytes(9)])
def test_damaged_graphs_are_made_anew(staffed, monkeypatch, damage):
    graph_file.open_index(staffed, least=1)
    file(staffed).write_bytes(damage(file(staffed).read_bytes()))
    counts = made(monkeypatch)
    graph_file.open_index(staffed, least=1)
    assert counts == [6, 2]


@pytest.mark.usefixtures("faiss")
def test_place_that_can_not_be_written_is_searched_all_the_same(staffed):
    file(staffed).mkdir()
    probe = staffed.templates().embeddings[4]
    assert nearest(probe[None], graph_file.open_index(staffed, least=1), 1)[0][0] == [1]


@pytest.mark.usefixtures("faiss")
def test_graphs_go_away_with_who_was_removed(staffed):
    graph_file.open_index(staffed, least=1)
    forgetting.remove(staffed, [staffed.person("Ada")])
    assert cache.files(staffed.path) == []


@pytest.mark.usefixtures("faiss")
def test_few_templates_and_some_people_are_searched_exactly(staffed, monkeypatch):
    counts = made(monkeypatch)
    assert graph_file.open_index(staffed).names == ["Ada", "Grace"]
    assert graph_file.open_index(staffed, people=["Grace"], least=1).names == ["Grace"]
    assert counts == []


@pytest.mark.usefixtures("faiss")
def test_nobody_is_missed_among_some_thousands(crowd):
    """People who are enrolled are found, each at the distance that comparing everything gives."""
    embeddings, people = crowd(1500, 3)
    index = Index(templates_of(embeddings, people))
    scans = (
        graph.built(len(index.rows), DIM, lambda first, last: unit(index.rows[first:last])),
        graph.built(len(index.people), DIM, index.centroids),
    )
    probes = embeddings[::50] + 0.1 * np.random.default_rng(2).normal(size=(90, DIM)).astype(np.float32)
    found = nearest(probes, index.scanned(scans), 10)
    everything = index.distances(probes)
    expected = np.argsort(everything, axis=1, kind="stable")[:, :10].tolist()
    hits = sum(len(set(ours) & set(theirs)) for (ours, _), theirs in zip(found, expected, strict=True))
    assert hits >= 0.99 * 900
    assert [ours[0] for ours, _ in found] == [theirs[0] for theirs in expected]
    np.testing.assert_allclose([own[0] for _, own in found], everything.min(axis=1), atol=1e-9)


def test_what_to_do_without_faiss(staffed, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(UsageError, match="faiss") as caught:
        graph_file.open_index(staffed)
    assert "facecli[faiss]" in str(caught.value.hint)


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("names", ["faiss, onnxruntime", "onnxruntime, faiss"])
def test_faiss_and_onnxruntime_are_imported_in_either_order(names):
    """Another library of this kind, imported first, crashes the process."""
    program = f"import {names}\nfrom facecli.gallery import scan\nscan._session()\nfaiss.IndexFlatIP(8)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
