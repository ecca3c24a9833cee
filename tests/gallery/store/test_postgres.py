from __future__ import annotations

import sys

import numpy as np
import pytest

from facecli.errors import GalleryError, UsageError
from facecli.gallery.index import Index
from facecli.gallery.nearest import nearest
from facecli.gallery.store import cache, forgetting, postgres
from tests.gallery.conftest import DIM, SPACE, face_of


def asked(url, query, alone=False):
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(url, autocommit=alone) as connection:
        done = connection.execute(query)
        return done.fetchall() if done.description else []


def schemas(store, url):
    name = postgres._schema(store)
    return asked(url, f"SELECT 1 FROM pg_namespace WHERE nspname = '{name}'")


@pytest.fixture
def crowded(store, crowd):
    """A gallery of 300 people with two pictures each."""
    embeddings, people = crowd(300, 2)
    with store.database.transaction():
        for number, (row, person) in enumerate(zip(embeddings, people, strict=True)):
            store.insert(f"person {person:04}", face_of(row, f"{number}.jpg"), SPACE, "enroll")
    return store


def found_by(index, probes):
    return [[index.names[place] for place in places] for places, _ in nearest(probes, index, 10)]


def test_answers_are_the_same_without_an_index_and_nearly_with_one(crowded, postgres_url):
    templates = crowded.templates()
    probes = templates.embeddings[::10] + 0.1 * np.random.default_rng(1).normal(size=(60, DIM)).astype(np.float32)
    exact = found_by(Index(templates), probes)
    assert found_by(postgres.open_index(crowded, postgres_url), probes) == exact
    for table in ("template", "centroid"):
        name = f"{postgres._schema(crowded)}.{table}"
        asked(postgres_url, f"CREATE INDEX ON {name} USING hnsw (embedding vector_ip_ops)")
    close = found_by(postgres.open_index(crowded, postgres_url), probes)
    hits = sum(len(set(ours) & set(theirs)) for ours, theirs in zip(close, exact, strict=True))
    assert hits >= 0.99 * 600


def test_copy_is_made_anew_after_a_change(staffed, postgres_url):
    postgres.open_index(staffed, postgres_url)
    table = f"{postgres._schema(staffed)}.template"
    asked(postgres_url, f"TRUNCATE {table}")
    asked(postgres_url, f"ALTER TABLE {table} ALTER COLUMN embedding TYPE vector({DIM + 1})")  # of another recognizer
    asked(postgres_url, f"CREATE INDEX own ON {table} USING hnsw (embedding vector_ip_ops)")
    staffed.add("Emmy", face_of(np.ones(DIM, np.float32), "emmy.jpg"), SPACE)
    assert postgres.open_index(staffed, postgres_url).names == ["Ada", "Grace", "Emmy"]
    assert asked(postgres_url, f"SELECT count(*) FROM {table}") == [(7,)]
    assert asked(postgres_url, "SELECT count(*) FROM pg_indexes WHERE indexname = 'own'") == [(1,)]


def test_gallery_has_one_copy(staffed, postgres_url):
    asked(postgres_url, "DROP DATABASE IF EXISTS other", alone=True)
    asked(postgres_url, "CREATE DATABASE other", alone=True)
    other = postgres_url.rpartition("/")[0] + "/other"
    postgres.open_index(staffed, postgres_url)
    postgres.open_index(staffed, other)
    assert (schemas(staffed, postgres_url), schemas(staffed, other)) == ([], [(1,)])


def test_copy_goes_away_with_who_is_removed(staffed, postgres_url):
    assert forgetting.remove(staffed, [staffed.person("Ada")]).copy is None
    postgres.open_index(staffed, postgres_url)
    assert schemas(staffed, postgres_url)
    assert forgetting.remove(staffed, [staffed.person("Grace")]).copy == postgres_url
    assert schemas(staffed, postgres_url) == []


def test_nobody_is_removed_while_the_copy_is_out_of_reach(staffed, postgres_url, monkeypatch):
    postgres.open_index(staffed, postgres_url)
    monkeypatch.setenv("PGPASSWORD", "another")
    with pytest.raises(GalleryError, match="PostgreSQL"):
        forgetting.remove(staffed, [staffed.person("Ada")])
    assert [person.name for person in staffed.people()] == ["Ada", "Grace"]


def test_gallery_that_changes_while_it_is_copied(staffed, postgres_url, monkeypatch):
    opened = cache.open_index

    def changing(store, *rest, **more):
        index = opened(store, *rest, **more)
        store.add("Emmy", face_of(np.ones(DIM, np.float32), "emmy.jpg"), SPACE)
        return index

    monkeypatch.setattr(cache, "open_index", changing)
    with pytest.raises(GalleryError, match="changed"):
        postgres.open_index(staffed, postgres_url)
    assert schemas(staffed, postgres_url) == []


def test_what_to_do_without_psycopg(staffed, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError, match="psycopg") as caught:
        postgres.open_index(staffed, "postgresql://nobody@127.0.0.1/none")
    assert "facecli[postgres]" in str(caught.value.hint)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@127.0.0.1/none",
        "postgresql://me@127.0.0.1/none?password=secret",
        "postgresql://me:secret/word@127.0.0.1/none",
        "postgresql://me:1/secret@127.0.0.1/none",
        "postgresql://me@[secret/none",
    ],
)
def test_url_with_a_password_is_refused_and_not_repeated(staffed, url):
    with pytest.raises(UsageError, match="search") as caught:
        postgres.open_index(staffed, url)
    assert "secret" not in str(caught.value)
    assert "PGPASSWORD" in str(caught.value.hint)


def test_text_of_a_strange_gallery_is_not_run(staffed, postgres_url):
    with staffed.database.transaction(revises=False):
        staffed.database.change("UPDATE meta SET value = '0; DROP TABLE x' WHERE key = 'uuid'")
    with pytest.raises(GalleryError, match="damaged"):
        postgres.open_index(staffed, postgres_url)


def test_database_that_is_not_there(run_cli, examples, tmp_path):
    pytest.importorskip("psycopg")
    place = ("--gallery", tmp_path / "staff.db")
    assert run_cli("enroll", examples / "collins.jpg", "--name", "Eileen", *place).returncode == 0
    options = (*place, "--threshold", "0.4", "--search")
    nowhere = run_cli("identify", examples / "collins.jpg", *options, "postgresql://me@127.0.0.1:1/none")
    assert (nowhere.returncode, len(nowhere.errors), "PostgreSQL" in nowhere.errors[0]) == (1, 1, True)
    for url in ("postgresql://me:secret@127.0.0.1/none", "mysql://me@127.0.0.1/none"):
        refused = run_cli("identify", examples / "collins.jpg", *options, url)
        assert (refused.returncode, len(refused.errors), b"secret" in refused.stderr) == (2, 1, False)
    removed = run_cli("gallery", "remove", "Eileen", *place, "--yes")
    assert removed.returncode == 0  # no copy was made
