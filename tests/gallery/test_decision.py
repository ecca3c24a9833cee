from __future__ import annotations

import numpy as np

from facecli.gallery.decision import identify
from facecli.gallery.index import Index
from facecli.gallery.rule import Rule
from tests.gallery.conftest import templates_of


def at(*degrees):
    """Directions in a plane: cosine distances between them are known."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def distance(degrees):
    return 1 - np.cos(np.radians(degrees))


INDEX = Index(templates_of(at(0, 40, 100), [1, 2, 3]))
RULE = Rule(distance(25), "a test", None, distance(25) - distance(20), distance(35))


def test_known_and_unknown():
    known, unknown = identify(at(5, 180), INDEX, RULE, top=3)
    assert (known.person, known.outcome, known.near) == ("1", "known", False)
    assert [one.person for one in known.candidates] == ["1", "2", "3"]
    assert [one.rank for one in known.candidates] == [1, 2, 3]
    assert np.isclose(known.margin, distance(35) - distance(5), atol=1e-7)
    assert (unknown.person, unknown.outcome, unknown.near) == (None, "unknown", False)
    assert not any(one.accepted for one in unknown.candidates)


def test_near_is_beyond_the_threshold_and_within_the_band():
    assert [one.near for one in identify(at(130, 136), INDEX, RULE)] == [True, False]
    without_band = Rule(RULE.threshold, "a test", None, 0.0, None)
    assert identify(at(130), INDEX, without_band)[0].near is None


def test_between_two_people_nobody_is_named_and_both_are_told():
    (answer,) = identify(at(19), INDEX, RULE)
    assert (answer.person, answer.outcome) == (None, "ambiguous")
    assert [(one.person, one.accepted) for one in answer.candidates] == [("1", True), ("2", True)]
    (clear,) = identify(at(17), INDEX, Rule(RULE.threshold, "a test", None, 0.01, None))
    assert clear.person == "1"


def test_a_second_person_beyond_the_threshold_makes_nothing_ambiguous():
    wide = Rule(distance(25), "a test", None, 2.0, None)
    assert identify(at(5), INDEX, wide)[0].person == "1"


def test_nobody_is_twice_in_one_picture():
    answers = identify(at(6, 2, 101), INDEX, RULE)
    assert [(one.person, one.outcome) for one in answers] == [(None, "taken"), ("1", "known"), ("3", "known")]
    equal = identify(at(5, 5), INDEX, RULE)
    assert [one.outcome for one in equal] == ["known", "taken"]


def test_people_at_one_distance_come_in_the_order_of_enrolment():
    twins = Index(templates_of(at(10, 10, 10), [1, 2, 3]))
    (answer,) = identify(at(10), twins, RULE, top=3)
    assert [one.person for one in answer.candidates] == ["1", "2", "3"]
    assert (answer.outcome, answer.margin) == ("ambiguous", 0.0)


def test_only_person_has_no_margin():
    (answer,) = identify(at(10), Index(templates_of(at(10), [1])), RULE, top=5)
    assert (answer.person, answer.margin, len(answer.candidates)) == ("1", None, 1)
