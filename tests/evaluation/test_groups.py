"""Rates by group of people, and how far they lie apart."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from facecli.errors import OutputError
from facecli.evaluation import group_figure
from facecli.evaluation.groups import GroupRates, differential, group_rates, grouped
from facecli.evaluation.rates import Rate

NAN = float("nan")


def test_a_comparison_counts_in_its_own_group_alone() -> None:
    names = ["A", "A", "A", "B", "B", None, None, "C"]
    distances = np.array([0.1, 0.3, 0.2, 0.4, NAN, 0.1, 0.9, 0.8])
    same = np.array([0, 0, 1, 0, 0, 0, 1, 1], bool)
    found = group_rates(["race"], names, distances, same, 0.2)
    assert found.groups == (
        GroupRates("A", Rate(1, 2), Rate(0, 1)),
        GroupRates("B", Rate(0, 1), None),
        GroupRates("C", None, Rate(1, 1)),
    )
    assert (found.by, found.without_group) == (("race",), (1, 1))
    assert found.fmr is not None and found.fnmr is not None
    assert (found.fmr.worst, found.fmr.best, found.fmr.mean) == ("A", "B", 0.25)
    assert (found.fnmr.worst, found.fnmr.highest, found.fnmr.lowest) == ("C", 1, 0)


def test_the_spread_is_summed_up_as_the_field_does() -> None:
    found = differential({"A": 0.08, "B": 0.01, "C": 0.01})
    assert found is not None
    assert found.geometric_mean == pytest.approx((0.08 * 0.01 * 0.01) ** (1 / 3)) == pytest.approx(0.02)
    assert (found.worst_over_geometric_mean, found.worst_over_best) == pytest.approx((4, 8))
    alike = differential({"A": 0.3, "B": 0.3})
    assert alike is not None
    assert alike.worst_over_geometric_mean == pytest.approx(1)


def test_without_an_error_in_some_group_there_is_no_ratio() -> None:
    found = differential({"A": 0.08, "B": 0.0})
    assert found is not None
    assert (found.geometric_mean, found.worst_over_geometric_mean, found.worst_over_best) == (0, None, None)
    assert differential({}) is None


GROUPS = grouped(["race"], [GroupRates("A, B", Rate(0, 50), None), GroupRates("C", Rate(5, 50), Rate(1, 4))], (0, 0))


def test_the_table_of_a_figure(tmp_path: Path) -> None:
    group_figure.write(tmp_path / "x.csv", GROUPS, "a test")
    with (tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["group"], row["fmr"], row["fnmr"], row["fnmr_total"]) for row in rows] == [
        ("C", "0.1", "0.25", "4"),
        ("A, B", "0", "", ""),
    ]
    assert float(rows[0]["fmr_low"]) < 0.1 < float(rows[0]["fmr_high"])


def test_the_table_of_a_figure_has_no_formula(tmp_path: Path) -> None:
    name = '=HYPERLINK("http://example.com")'
    group_figure.write(tmp_path / "x.csv", grouped(["race"], [GroupRates(name, Rate(0, 50), None)], (0, 0)), "a test")
    with (tmp_path / "x.csv").open(newline="") as file:
        assert [row["group"] for row in csv.DictReader(file)] == [f"'{name}"]


def test_a_figure_shows_every_group_also_one_without_an_error(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    group_figure.write(tmp_path / "x.svg", GROUPS, "a test")
    assert (tmp_path / "x.svg").stat().st_size > 1000


def test_without_a_rate_there_is_no_figure(tmp_path: Path) -> None:
    nothing = grouped(["race"], [GroupRates("A", None, Rate(1, 4))], (0, 0))
    with pytest.raises(OutputError, match="no group has a non-mated comparison"):
        group_figure.write(tmp_path / "x.csv", nothing, "a test")
    assert list(tmp_path.iterdir()) == []
