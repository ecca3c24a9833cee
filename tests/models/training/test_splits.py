"""Pictures are split by what they are, not by where they stand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from facecli.models.training import splits

PIXELS = np.random.default_rng(0).integers(0, 256, (200, 8, 8), dtype=np.uint8)


def test_pictures_that_others_have_are_found():
    assert splits.known(PIXELS[:10], PIXELS[8:]).tolist() == [False] * 8 + [True] * 2


def test_copies_are_held_out_together():
    kept = splits.held_out(np.concatenate([PIXELS, PIXELS]), 0.3)
    assert (kept[:200] == kept[200:]).all()
    assert 0.15 < kept.mean() < 0.45
