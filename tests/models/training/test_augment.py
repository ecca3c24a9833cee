"""Augmentation changes what it should and nothing else."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from facecli.models.training import augment  # noqa: E402
from facecli.models.training.config import Augmentation  # noqa: E402


@pytest.fixture
def pixels():
    return torch.rand(64, 1, 24, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_draws_hang_on_seed_and_view_alone():
    assert torch.equal(augment.draw(10, 3, 1), augment.draw(10, 3, 1))
    assert not torch.equal(augment.draw(10, 3, 1), augment.draw(10, 3, 2))
    assert not torch.equal(augment.draw(10, 3, 1), augment.draw(10, 4, 1))


def test_no_amounts_change_nothing(pixels):
    seen = augment.views(pixels, augment.draw(64, 0, 0), Augmentation(), 24)
    assert torch.allclose(seen, pixels, atol=1e-5)
    assert augment.cutout(pixels, augment.draw(64, 0, 0), Augmentation()) is pixels
    assert augment.plain(pixels, 24) is pixels


def test_flip_mirrors_about_half_of_the_pictures_and_keeps_the_others(pixels):
    seen = augment.views(pixels, augment.draw(64, 0, 0), Augmentation(flip=True), 24)
    mirrored = [torch.allclose(s, p.flip(2), atol=1e-5) for s, p in zip(seen, pixels, strict=True)]
    same = [torch.allclose(s, p, atol=1e-5) for s, p in zip(seen, pixels, strict=True)]
    assert 16 <= sum(mirrored) <= 48
    assert sum(same) == 64 - sum(mirrored)


def test_a_picture_does_not_hang_on_its_batch(pixels):
    how = Augmentation(degrees=20, scale=0.2, shift=0.1, brightness=0.1, contrast=0.3, flip=True)
    draws = augment.draw(64, 0, 0)
    every = augment.views(pixels, draws, how, 24)
    some = augment.views(pixels[5:9], draws[5:9], how, 24)
    assert torch.allclose(every[5:9], some, atol=1e-6)


def test_borders_are_reflected_not_black():
    bright = torch.full((64, 1, 24, 24), 0.75)
    how = Augmentation(degrees=30, scale=0.3, shift=0.3)
    seen = augment.views(bright, augment.draw(64, 0, 0), how, 24)
    assert torch.allclose(seen, bright, atol=1e-5)


def test_a_shift_moves_by_no_more_than_its_bound():
    dot = torch.full((200, 1, 21, 21), -1.0)
    dot[:, :, 10, 10] = 1
    seen = augment.views(dot, augment.draw(200, 0, 0), Augmentation(shift=0.2), 21)
    places = torch.stack([(s[0] + 1).flatten().argmax() for s in seen])
    far = torch.maximum((places // 21 - 10).abs(), (places % 21 - 10).abs())
    assert 3 <= int(far.max()) <= 5  # 0.2 of 21 px, and half a pixel of rounding


def test_light_stays_in_range(pixels):
    seen = augment.views(pixels, augment.draw(64, 0, 0), Augmentation(brightness=0.5, contrast=0.9), 24)
    assert float(seen.abs().max()) <= 1
    assert not torch.allclose(seen, pixels, atol=0.1)


def test_cutout_hides_a_square_in_the_part_asked_for(pixels):
    how = Augmentation(cutout=0.5, cutout_side=0.5)
    seen = augment.cutout(pixels, augment.draw(64, 0, 0), how)
    hidden = ((seen == 0) & (pixels != 0)).flatten(1).sum(1)
    assert 16 <= int((hidden > 0).sum()) <= 48
    assert int(hidden.max()) <= 12 * 12
    assert torch.equal(seen[seen != 0], pixels[seen != 0])


def test_mixed_targets_still_sum_to_one(pixels):
    targets = torch.eye(4)[torch.arange(64) % 4]
    mixed = augment.mix(targets, 0.3)
    assert torch.allclose(mixed.sum(1), torch.ones(64))
    assert torch.allclose(augment.mix(pixels, 0.3)[0], 0.3 * pixels[0] + 0.7 * pixels[63])


def test_another_size_is_the_same_picture():
    ramp = torch.linspace(-1, 1, 24).expand(1, 1, 24, 24)
    large = augment.plain(ramp, 48)
    assert large.shape == (1, 1, 48, 48)
    assert torch.allclose(large[0, 0, 10, 1::2][2:-2], large[0, 0, 30, 1::2][2:-2])
    assert bool((large[0, 0, 0].diff() >= 0).all())


def test_black_edges_are_as_many_and_as_wide_as_stated():
    grey = torch.zeros(2000, 3, 20, 20)
    draws = augment.draw(2000, 0, 0)
    assert augment.black_edges(grey, draws, Augmentation()) is grey
    seen = augment.black_edges(grey, draws, Augmentation(edges=1.0, edge_width=0.4))
    black = seen[:, 0] == -1
    sides = torch.stack([black[:, 0].all(1), black[:, -1].all(1), black[:, :, 0].all(1), black[:, :, -1].all(1)])
    # One of four, less those that are narrower than half a pixel.
    assert all(0.2 < part < 0.28 for part in sides.float().mean(1).tolist())
    assert not black[:, 8:12, 8:12].any()
    assert black[:, 7].all(1).any()
