from __future__ import annotations

import numpy as np
import pytest

from facecli.gallery import quantized
from facecli.gallery.index import unit
from facecli.gallery.quantized import encoded, encoded_probes, slack
from facecli.gallery.scan import CodeScan


def similarities_of_codes(probes, rows):
    """The products that the graph makes, in Python's own integers."""
    codes = encoded(len(rows), lambda first, last: rows[first:last])
    quantized_probes, scales, errors = encoded_probes(probes)
    found = []
    for _, blocks, offsets, row_scales in codes.blocks(most=2):
        products = (quantized_probes.astype(int) - quantized.PROBE_ZERO) @ blocks.astype(int)
        assert (offsets == quantized.PROBE_ZERO * blocks.sum(axis=1, keepdims=True, dtype=int)).all()
        found += list(products * row_scales.astype(float) * scales)
    return np.concatenate(found, axis=1), slack(codes.error, errors)


@pytest.mark.parametrize("dim", [2, 16, 512])
def test_no_similarity_is_further_from_that_of_codes_than_is_said(dim, monkeypatch):
    monkeypatch.setattr(quantized, "BLOCK", 100)
    rng = np.random.default_rng(dim)
    rows = unit(np.concatenate([rng.normal(size=(250, dim)), np.eye(dim)[:20], np.zeros((1, dim))]))
    probes = unit(np.concatenate([rng.normal(size=(9, dim)), rows[:3], np.zeros((1, dim))]))
    codes, most = similarities_of_codes(probes, rows)
    off = np.abs(codes - probes @ rows.T)
    assert (off <= most[:, None]).all()
    assert off.max() > most.max() / 50  # it says something


@pytest.mark.parametrize("several", [70, 32, 1])  # probes: as many blocks go through the graph at once as they leave
def test_likest_rows_and_what_bounds_the_others(several, monkeypatch):
    monkeypatch.setattr(quantized, "BLOCK", 100)
    rng = np.random.default_rng(3)
    rows, probes = unit(rng.normal(size=(333, 16))), unit(rng.normal(size=(70, 16)))
    codes = encoded(len(rows), lambda first, last: rows[first:last])
    probes = probes[:several]
    seen = CodeScan(codes).likest(probes, 20)
    by_codes, _ = similarities_of_codes(probes, rows)
    for probe, own, bound, expected in zip(probes, seen.rows, seen.bound, by_codes, strict=True):
        others = np.setdiff1d(np.arange(len(rows)), own)
        assert len(own) == 20 and expected[own].min() >= expected[others].max() - 1e-6
        assert (rows[others] @ probe <= bound).all()
    everything = CodeScan(codes).likest(probes[:1], 333)
    assert sorted(everything.rows[0].tolist()) == list(range(333)) and everything.bound[0] == -np.inf


def test_largest_codes_do_not_overflow():
    """Rows and probes whose codes are all the largest: products that 16 bits do not hold on a CPU without VNNI."""
    rows = unit(np.concatenate([np.ones((4, 512)), -np.ones((4, 512))]))
    codes = encoded(len(rows), lambda first, last: rows[first:last])
    seen = CodeScan(codes).likest(unit(np.ones((1, 512))), 4)
    assert sorted(seen.rows[0].tolist()) == [0, 1, 2, 3]
    assert seen.bound[0] == pytest.approx(1, abs=1e-4)
