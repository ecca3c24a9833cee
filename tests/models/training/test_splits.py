"""Pictures are split by what they are, not by where they stand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from facecli.models.training import splits

PIXELS = np.random.default_rng(0).integers(0, 256, (200, 8, 8), dtype=np.uint8)


def test_pictures_that_others_have_are_found():
    assert splits.exact_copies(PIXELS[:10], PIXELS[8:]).tolist() == [False] * 8 + [True] * 2


def test_near_copies_are_found_and_others_are_not():
    pictures = np.random.default_rng(1).integers(0, 256, (12, 16, 16), dtype=np.uint8).repeat(3, 1).repeat(3, 2)
    others = pictures[:3].astype(np.int64)
    others[0] += np.random.default_rng(2).integers(-20, 20, (48, 48))  # compressed otherwise
    others[1] = others[1] // 2 + 60  # lit otherwise
    others[2] = others[2, :, ::-1]  # mirrored
    found = splits.near_copies(pictures, others.clip(0, 255).astype(np.uint8))
    assert found.tolist() == [True] * 3 + [False] * 9
    assert splits.near_copies(pictures, pictures[:0]).tolist() == [False] * 12
    assert splits.near_copies(pictures[:0], pictures).tolist() == []


def test_copies_are_held_out_together():
    kept = splits.held_out(np.concatenate([PIXELS, PIXELS]), 0.3)
    assert (kept[:200] == kept[200:]).all()
    assert 0.15 < kept.mean() < 0.45
