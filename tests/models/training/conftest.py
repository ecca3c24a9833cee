"""Small synthetic data: pictures whose class is where their light is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

CONFIG = """
seed = 1
holdout = 0.2
share = 0.5
heads = { fer2013 = 0.5, ferplus = 0.5 }

[student]
network = "residual"
side = 48
options = { stem = 8, stages = [[8, 1], [16, 1]], dropout = 0.1, drop = 0.1 }
schedule = { epochs = 2, batch = 32, rate = 0.05, bf16 = false, ema = 0.9 }
augmentation = { flip = true, shift = 0.02, mixup = 0.3, cutout = 0.3 }
"""
TEACHER = """
[distillation]
weight = 0.5

[teacher]
network = "residual"
side = 32
options = { stem = 8, stages = [[8, 1]] }
schedule = { epochs = 1, batch = 32, rate = 0.002, bf16 = false, optimizer = "adamw", clip = 1.0, head_rate = 2.0 }
"""
LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
VOTES = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "not_face"]
ORDER = [4, 5, 6, 1, 3, 2, 0]  # the votes' columns in the labels' order


@pytest.fixture(autouse=True)
def one_thread(torch):
    """Sums in one order: a run that is repeated must be the same to the bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def faces(count, seed=0):
    """Pixels (count, 48, 48) and labels: a bright bar at the height of the label, on noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 7, count)
    pixels = rng.integers(0, 120, (count, 48, 48)).astype(np.uint8)
    for picture, label in zip(pixels, labels, strict=True):
        picture[label * 7 : label * 7 + 5] += 120
    return pixels, labels


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An .npz as FER2013's: 200 pictures to train with, 40 for the public test, two of them in both."""
    pixels, labels = faces(240)
    pixels[200:202] = pixels[:2]
    votes = np.zeros((240, 10), np.uint8)
    votes[np.arange(240), np.array(ORDER)[labels]] = 8
    votes[:, 8] = 2
    path = tmp_path / "faces.npz"
    split = (np.arange(240) >= 200).astype(np.uint8)
    names = {"label_names": np.array(LABELS), "vote_names": np.array(VOTES)}
    names["split_names"] = np.array(["Training", "PublicTest"])
    np.savez(path, pixels=pixels, label=labels.astype(np.uint8), votes=votes, split=split, **names)
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A training that takes seconds, without a teacher."""
    path = tmp_path / "tiny.toml"
    path.write_text(CONFIG, "utf-8")
    return path


@pytest.fixture
def config_with_teacher(tmp_path: Path) -> Path:
    """The same, taught by another network on two views of each picture."""
    path = tmp_path / "taught.toml"
    path.write_text(CONFIG.replace("flip = true", "flip = true, views = 2") + TEACHER, "utf-8")
    return path
