"""The engine learns, and a training that was cut goes on as if it had not been."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from facecli.errors import InputError, UsageError  # noqa: E402
from facecli.models.training import engine  # noqa: E402
from facecli.models.training.checkpoint import Average  # noqa: E402
from facecli.models.training.config import Augmentation, Schedule, Stage  # noqa: E402
from facecli.models.training.networks import ResidualNetwork  # noqa: E402
from facecli.models.training.optimizing import rate_at  # noqa: E402

STAGE = Stage(
    network="residual",
    side=16,
    schedule=Schedule(epochs=4, batch=32, rate=0.1, ema=0.8, bf16=False, weight_decay=1e-4),
    augmentation=Augmentation(flip=True, shift=0.05, mixup=0.3, cutout=0.2),
)


class CutError(Exception):
    """Stands for whatever ends a run."""


def make():
    return ResidualNetwork(7, stem=8, stages=[(8, 1), (16, 1)], dropout=0.1, drop=0.1)


def examples(count, seed):
    """Bright bars at one of four heights and three widths; two heads."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 80, (count, 16, 16)).astype(np.uint8)
    height, width = rng.integers(0, 4, count), rng.integers(0, 3, count)
    for picture, y, w in zip(pixels, height, width, strict=True):
        picture[y * 4 : y * 4 + 3, 6 - 3 * w : 10 + 3 * w] += 150
    targets = {"height": np.eye(4, dtype=np.float32)[height], "width": np.eye(3, dtype=np.float32)[width]}
    return engine.Examples(pixels, targets)


@pytest.fixture
def settings(tmp_path):
    said = []
    return engine.StageRun(tmp_path / "run", "digest", 3, {"height": 1.0, "width": 0.5}, report=said.append)


def test_it_learns(settings):
    train, validation = examples(320, 0), examples(100, 1)
    network = engine.train(make, STAGE, train, validation, settings)
    log = [json.loads(line) for line in (settings.folder / "log.jsonl").read_text("utf-8").splitlines()]
    assert [row["epoch"] for row in log] == [1, 2, 3, 4]
    assert log[-1]["accuracy_height"] > 0.9  # chance is 0.25
    assert log[-1]["accuracy_width"] > 0.7  # chance is 0.33
    assert log[-1]["loss"] < log[0]["loss"]
    assert not network.training
    logits = engine.predict(network, validation.pixels, STAGE)
    found = (logits[:, :4].argmax(1).numpy() == validation.targets["height"].argmax(1)).mean()
    assert found == pytest.approx(log[-1]["accuracy_height"])


def test_resumed_is_the_same_as_never_cut(settings, tmp_path):
    train, validation = examples(64, 0), examples(20, 1)
    whole = engine.train(make, STAGE, train, validation, settings)

    def cut(text):
        if text.startswith("epoch 2 "):
            raise CutError

    other = replace(settings, folder=tmp_path / "other", report=cut)
    with pytest.raises(CutError):
        engine.train(make, STAGE, train, validation, other)
    assert len((tmp_path / "other" / "log.jsonl").read_text("utf-8").splitlines()) == 2
    again = []
    resumed = engine.train(make, STAGE, train, validation, replace(other, report=again.append))
    assert [text.split()[1] for text in again] == ["3", "4"]
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_finished_training_is_not_repeated(settings):
    train, validation = examples(64, 0), examples(20, 1)
    first = engine.train(make, STAGE, train, validation, settings)
    said = []
    second = engine.train(make, STAGE, train, validation, replace(settings, report=said.append))
    assert said == []
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_the_seed_decides(settings, tmp_path):
    train, validation = examples(64, 0), examples(20, 1)
    short = replace(STAGE, schedule=replace(STAGE.schedule, epochs=1))
    first = engine.train(make, short, train, validation, settings)
    second = engine.train(make, short, train, validation, replace(settings, folder=tmp_path / "b", seed=4))
    assert not torch.equal(next(first.parameters()), next(second.parameters()))


def test_a_checkpoint_of_something_else_is_refused(settings):
    train, validation = examples(64, 0), examples(20, 1)
    short = replace(STAGE, schedule=replace(STAGE.schedule, epochs=1))
    engine.train(make, short, train, validation, settings)
    with pytest.raises(UsageError, match=r"checkpoint\.pt was made with another configuration.*choose another --out"):
        engine.train(make, short, train, validation, replace(settings, digest="other"))
    (settings.folder / "checkpoint.pt").write_bytes(b"cut short")
    with pytest.raises(InputError, match=r"checkpoint\.pt is no checkpoint.*delete it"):
        engine.train(make, short, train, validation, settings)


def test_softened_targets_replace_the_labels(settings):
    """Taught the opposite of its labels, a network learns the opposite."""
    train, validation = examples(320, 0), examples(100, 1)
    labels = torch.cat([torch.from_numpy(target) for target in train.targets.values()], 1)
    views = set()

    def opposite(view, rows):
        views.add(view)
        heights, widths = labels[rows].split([4, 3], 1)
        return torch.cat([heights.roll(1, 1), widths], 1)

    stage = replace(STAGE, augmentation=replace(STAGE.augmentation, views=2))
    network = engine.train(make, stage, train, validation, settings, opposite)
    found = engine.predict(network, validation.pixels, stage)[:, :4].argmax(1).numpy()
    assert (found == (validation.targets["height"].argmax(1) + 1) % 4).mean() > 0.8
    assert views == {0, 1}


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")  # inductor's own use of torch.jit
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
def test_compiled_it_learns_as_well(settings):
    def small():
        return ResidualNetwork(7, stem=16, stages=[(16, 1)])

    train, validation = examples(320, 0), examples(100, 1)
    network = engine.train(small, STAGE, train, validation, replace(settings, compiled=True))
    found = engine.predict(network, validation.pixels, STAGE)[:, :4].argmax(1).numpy()
    assert (found == validation.targets["height"].argmax(1)).mean() > 0.7  # chance is 0.25
    plain = engine.train(small, STAGE, train, validation, replace(settings, learn=False))  # the checkpoint is the same
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), plain.parameters(), strict=True))


def test_the_rate_rises_in_a_line_and_falls_to_nothing():
    rates = [rate_at(step, 100, 0.1) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10] == 1
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001


def test_the_average_follows_the_weights():
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    average = Average(network, torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)))
    before = network[0].weight.detach().clone()
    with torch.no_grad():
        network[0].weight += 1
        network[1].num_batches_tracked += 7
    average.update(network, 0.75)
    assert torch.allclose(average.network[0].weight, before + 0.25)
    assert int(average.network[1].num_batches_tracked) == 7
