from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from facecli.contract import OperatingPoint
from facecli.errors import ModelError, UsageError
from facecli.matching.operating_points import OperatingPointStore, UserOperatingPoint

POINT = OperatingPoint("cosine", 0.1 + 0.2, "a test", "no data", 0.01, None, {"euclidean": 1.5}, ((0.01, 0.1 + 0.2),))
OWN = UserOperatingPoint(
    "mine",
    {"recognizer": "x", "detector": None, "parameters": {}, "models": ["ab"]},
    POINT,
    "2026-01-01T00:00:00+00:00",
    {"note": None},
)


def test_what_is_kept_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    store = OperatingPointStore(tmp_path)
    assert store.all() == []
    assert store.save(OWN) == store.path("mine")
    assert store.load("mine") == OWN
    grouped = replace(POINT, worst_group="B", fmr_worst_group=0.02, worst_by_fmr=((0.01, 0.02),))
    store.save(replace(OWN, point=grouped))
    assert store.load("mine").point == grouped
    store.save(OWN)
    assert store.all() == [OWN]


def test_the_newest_that_holds_comes_first(tmp_path: Path) -> None:
    store = OperatingPointStore(tmp_path)
    newer = replace(OWN, name="newer", created="2026-02-01T00:00:00+00:00", point=replace(POINT, threshold=0.5))
    other = replace(
        OWN, name="other", created="2026-03-01T00:00:00+00:00", identity={**OWN.identity, "recognizer": "y"}
    )
    for own in (newer, OWN, other):
        store.save(own)
    assert store.matching(OWN.identity) == [newer.point, POINT]
    store.remove("newer")
    assert store.matching(OWN.identity) == [POINT]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../x", "/etc/x", "catalogue", "publisher", ".hidden", "a" * 101, "a b", "ä"]
)
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    for use in (
        OperatingPointStore(tmp_path).path,
        OperatingPointStore(tmp_path).load,
        OperatingPointStore(tmp_path).remove,
    ):
        with pytest.raises(UsageError, match="can not name"):
            use(name)


def test_an_unknown_name_lists_those_there_are(tmp_path: Path) -> None:
    store = OperatingPointStore(tmp_path)
    with pytest.raises(UsageError, match="there are: none"):
        store.remove("gone")
    store.save(OWN)
    with pytest.raises(UsageError, match="there are: mine"):
        store.load("gone")


def changed(record: dict[str, object] | None = None, **changes: object) -> str:
    """A point's file. record, changes: what is otherwise in it, and in its point."""
    record = {"schema": "facecli.operating-point/1", **json.loads(json.dumps(asdict(OWN))), **(record or {})}
    point = {"metric": "cosine", "threshold": 0.3, "source": "s", "protocol": None, "fmr": 0.1, "fnmr": None}
    point |= {"equivalents": {}, "by_fmr": []}
    return json.dumps({**record, "point": {**point, **changes}})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"schema": "facecli.operating-point/2"}',
        changed(threshold="0.3"),
        changed(threshold=float("nan")),
        changed(threshold=True),
        changed(threshold=-5e-324),
        changed(equivalents={"cosine": 0}),
        changed(metric="taxicab"),
        changed(by_fmr=[[1]]),
        changed(worst_by_fmr=[[0.1, "0.2"]]),
        changed(fmr_worst_group="0.1"),
        changed(equivalents={"cosine": None}),
        changed(surprise=1),
        changed(threshold=10**400),
        changed(source=None),
        changed({"created": None}),
        changed({"created": "yesterday"}),
        changed({"identity": {}}),
        changed({"identity": {**OWN.identity, "detector": 1}}),
        changed({"evidence": None}),
        changed({"evidence": {"note": 1}}),
        "[" * 100_000,
    ],
)
def test_a_damaged_file_is_told_and_never_passed_over(tmp_path: Path, content: str) -> None:
    store = OperatingPointStore(tmp_path)
    store.path("mine").parent.mkdir()
    store.path("mine").write_text(content)
    with pytest.raises(ModelError, match=r"mine\.json is damaged.*calibrate again"):
        store.matching({})


def test_the_undamaged_form_of_these_is_read(tmp_path: Path) -> None:
    store = OperatingPointStore(tmp_path)
    store.path("mine").parent.mkdir()
    store.path("mine").write_text(changed())
    assert store.load("mine").point.threshold == 0.3
