"""The rules for arrays of models: facecli and the conformance kit refuse the very same answers."""

from __future__ import annotations

import numpy as np
import pytest

from facecli.errors import ContractError
from facecli.hosting.answers import probability_fault, rows_of


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([[0.25, 0.75], [1, 0]], None),
        ([[1 + 5e-7, 0]], None),  # rounding
        ([[0.5, 0.5005]], None),
        ([[1 + 1e-4, -1e-4]], "probabilities must lie in [0, 1], got -0.0001 to 1"),
        ([[1.5, 0]], "probabilities must lie in [0, 1], got 0 to 1.5"),
        ([[0.5, 0.5], [0.5, 0.6]], "the probabilities of a row must sum to 1, got 1.1"),
    ],
)
def test_probabilities_lie_between_0_and_1_and_sum_to_1(rows: list[list[float]], fault: str | None) -> None:
    assert probability_fault(np.array(rows, np.float32)) == fault


def test_no_rows_are_probabilities() -> None:
    assert probability_fault(np.zeros((0, 7), np.float32)) is None


def test_rows_have_their_shape_and_type_and_are_finite() -> None:
    rows = np.ones((2, 3), np.float32)
    assert rows_of("it", rows, 2, 3) is rows
    for other in (rows.astype(np.float64), rows[0], rows.tolist()):
        with pytest.raises(ContractError, match=r"^it must be .*\(2, 3\) float32"):
            rows_of("it", other, 2, 3)
    with pytest.raises(ContractError, match="it must be finite"):
        rows_of("it", rows * np.float32("inf"), 2, 3)


def test_float64_is_told_how_to_be_cast():
    with pytest.raises(
        ContractError, match=r"\(2, 3\) float32, got \(2, 3\) float64; cast it with .astype\(np.float32\)"
    ):
        rows_of("it", np.zeros((2, 3)), 2, 3)
    with pytest.raises(ContractError) as caught:
        rows_of("it", np.zeros((3, 3)), 2, 3)
    assert caught.value.hint is None
