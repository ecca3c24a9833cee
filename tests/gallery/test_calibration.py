from __future__ import annotations

import numpy as np
import pytest

from facecli.errors import UsageError
from facecli.gallery.calibration import MOST_SEARCHES, leave_one_out, searches_for, too_small
from facecli.gallery.index import Index
from tests.gallery.conftest import DIM, templates_of


def test_threshold_keeps_the_rate_among_its_own_people(crowd):
    embeddings, people = crowd(60, 5)
    index = Index(templates_of(embeddings, people))
    nearest = index.without_own(list(range(300)))
    for point in leave_one_out(index, (0.1, 0.03, 0.01)):
        accepted = int((nearest <= point.threshold).sum())
        assert accepted == round(point.rate * 300)  # equal weights: the very number
        assert (point.people, point.searches) == (60, 300)


def test_strangers_are_named_about_as_often_as_was_asked_for():
    """People from one distribution, half of them strangers: 400 of each, so that 10 % has a spread of 1.5 %."""
    rng = np.random.default_rng(5)
    enrolled = rng.normal(size=(400, 1, DIM)) + 0.5 * rng.normal(size=(400, 3, DIM))
    strangers = rng.normal(size=(400, DIM)) + 0.5 * rng.normal(size=(400, DIM))
    index = Index(templates_of(enrolled.reshape(-1, DIM).astype(np.float32), np.repeat(np.arange(400), 3).tolist()))
    (point,) = leave_one_out(index, (0.1,))
    named = (index.distances(strangers).min(axis=1) <= point.threshold).mean()
    assert 0.06 < named < 0.16


def test_each_person_weighs_the_same(crowd):
    """A person with a hundred pictures, all near to one other person, is one person in thirty."""
    embeddings, people = crowd(30, 10, spread=0.01)
    many = np.repeat(embeddings[:1], 100, axis=0)
    rows = np.concatenate([many, embeddings[:1], embeddings[10:]])
    owners = [0] * 100 + [1] + people[10:]
    owners = [owner if place < 101 else owner + 1 for place, owner in enumerate(owners)]
    index = Index(templates_of(rows, owners))
    weighted = leave_one_out(index, (0.1,))[0].threshold
    assert weighted > 0.01  # of 391 searches 101 are at distance 0, which would leave nothing but 0


def test_copies_under_two_names_leave_no_threshold(crowd):
    embeddings, people = crowd(20, 5)
    rows = np.concatenate([embeddings, embeddings])
    index = Index(templates_of(rows, [*people, *(person + 20 for person in people)]))
    (point,) = leave_one_out(index, (0.1,))
    alone = leave_one_out(Index(templates_of(embeddings, people)), (0.1,))[0]
    assert point.threshold < alone.threshold / 2  # everybody has a double, who is as near as oneself


@pytest.mark.parametrize(("people", "searches", "reason"), [(19, 400, True), (20, 299, True), (20, 300, False)])
def test_too_small_a_gallery_says_why(people, searches, reason):
    found = too_small(people, searches, 0.01)
    assert (found is not None) is reason
    if found:
        assert f"{people} people with {searches} templates" in found and "20 people and 300 templates" in found


def test_a_strict_rate_is_measured_by_as_many_searches_as_it_takes():
    assert searches_for(0.01, 10**6) == MOST_SEARCHES
    assert searches_for(0.0005, 10**6) == 6000
    assert searches_for(0.0005, 300) == 300
    assert too_small(2000, searches_for(0.0005, 8000), 0.0005) is None


def test_a_small_gallery_calibrates_nothing(crowd):
    embeddings, people = crowd(5, 3)
    with pytest.raises(UsageError, match=r"too small to calibrate an FPIR of 0\.1"):
        leave_one_out(Index(templates_of(embeddings, people)), (0.1,))
