"""The command trains from a file of faces to a file that the export takes."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from facecli.errors import ExportError  # noqa: E402
from facecli.models.training import emotion, engine, fer2013, published  # noqa: E402
from facecli.models.training.networks import ResidualNetwork, packed_state, standardised  # noqa: E402


def train(data, config, out):
    return emotion.main(["--data", str(data), "--out", str(out), "--config", str(config), "--threads", "1"])


def test_from_faces_to_a_network(data, config, tmp_path, capsys):
    out = tmp_path / "out"
    assert train(data, config, out) == 0
    told = capsys.readouterr()
    assert told.out == f"wrote {out / 'emotion.pt'}\n"
    assert "student: epoch 2 " in told.err
    network, side = published.read(out / "emotion.pt")
    assert side == 48
    pixels = fer2013.read(data)["PublicTest"].pixels
    with torch.inference_mode():
        answers = [answer.numpy() for answer in network(engine.as_input(pixels))]
    assert len(answers) == len(published.OUTPUTS) == 3
    for probabilities in answers:
        assert probabilities.shape == (40, 7)
        assert np.allclose(probabilities.sum(1), 1, atol=1e-6)
    facts = json.loads((out / "calibration.json").read_text("utf-8"))
    assert facts["temperature"] == network.answer.temperature
    assert [row["share"] for row in facts["shares"]] == pytest.approx(np.arange(11) / 10)
    before = (out / "emotion.pt").read_bytes()
    assert train(data, config, out) == 0  # all is there: nothing is trained again
    assert "epoch" not in capsys.readouterr().err
    assert torch.load(out / "emotion.pt", weights_only=True)["temperature"] == network.answer.temperature
    assert len(before) == (out / "emotion.pt").stat().st_size


def test_a_teacher_is_trained_asked_and_not_asked_again(data, config_with_teacher, tmp_path, capsys):
    out = tmp_path / "out"
    assert train(data, config_with_teacher, out) == 0
    told = capsys.readouterr().err
    assert told.index("teacher: epoch 1 ") < told.index("answered view 2 of 2") < told.index("student: epoch 1 ")
    views = sorted((out / "views").iterdir())
    assert len(views) == 2
    answers = np.load(views[0], allow_pickle=False)
    assert answers.shape[1] == 14
    assert not np.array_equal(answers, np.load(views[1], allow_pickle=False))
    views[1].unlink()
    (out / "student" / "checkpoint.pt").unlink()
    assert train(data, config_with_teacher, out) == 0
    told = capsys.readouterr().err
    assert "answered view 2 of 2" in told
    assert "answered view 1 of 2" not in told
    assert "teacher: epoch" not in told  # its checkpoint is whole


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ('network = "residual"', 'network = "transformer"', 2, "no network 'transformer'; there is residual"),
        ("stem = 8", "steam = 8", 2, "the options of network 'residual' do not fit"),
        ("seed = 1", "sead = 1", 2, "unknown key sead"),
    ],
)
def test_errors_are_one_line(data, config, tmp_path, capsys, old, new, code, message):
    config.write_text(config.read_text("utf-8").replace(old, new), "utf-8")
    assert train(data, config, tmp_path / "out") == code
    told = capsys.readouterr()
    assert told.out == ""
    assert message in told.err.splitlines()[-1]


def test_missing_data_is_an_input_error(config, tmp_path, capsys):
    assert train(tmp_path / "none.npz", config, tmp_path / "out") == 1
    assert "none.npz can not be read" in capsys.readouterr().err


def test_a_packed_network_computes_the_same():
    torch.manual_seed(0)
    options = {"stem": 8, "stages": [[8, 1], [16, 2]]}
    trained = ResidualNetwork(14, **options)
    for _ in range(3):  # the statistics of the batch normalisation move away from where they begin
        trained(torch.rand(16, 1, 24, 24))
    trained.eval()
    packed = ResidualNetwork(14, packed=True, **options).eval()
    packed.load_state_dict(packed_state(trained))
    pixels = torch.rand(5, 1, 24, 24)
    with torch.inference_mode():
        assert torch.allclose(trained(pixels), packed(pixels), atol=2e-2)  # the kernels are int8
    assert packed.stem.weight.dtype == torch.int8


def test_a_filter_that_was_switched_off_packs_to_nothing():
    trained = ResidualNetwork(14, stem=8, stages=[[8, 1]]).eval()
    with torch.no_grad():
        trained.stem[1].weight.zero_()
    state = packed_state(trained)
    assert not state["stem.weight"].any()
    assert torch.isfinite(state["stem.scale"]).all()


def test_light_and_contrast_do_not_matter_and_flat_pictures_stay_finite():
    pixels = torch.rand(4, 1, 24, 24) - 0.5
    assert torch.allclose(standardised(pixels), standardised(pixels * 0.8 + 0.2), atol=0.1)
    assert torch.equal(standardised(torch.ones(1, 1, 8, 8)), torch.zeros(1, 1, 8, 8))


def test_both_heads_are_in_the_answer():
    logits = torch.tensor([[4.0, 0, 0, 0, 4.0, 0]])
    first = published.answered(logits, published.Answer(1.0, 1.0))
    second = published.answered(logits, published.Answer(0.0, 1.0))
    both = published.answered(logits, published.Answer(0.5, 1.0))
    assert first.argmax() == 0
    assert second.argmax() == 1
    assert torch.allclose(both, (first + second) / 2, atol=1e-6)
    assert published.answered(logits, published.Answer(1.0, 2.0)).max() < first.max()


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(b"no tensors")
    with pytest.raises(ExportError, match=r"x\.pt is no trained network of facecli") as caught:
        published.read(path)
    assert "\n" not in str(caught.value)
    torch.save({"format": 1, "state": {}}, path)
    with pytest.raises(ExportError, match=r"x\.pt is no trained network of facecli"):
        published.read(path)
