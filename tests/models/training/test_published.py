"""A training's result: how heads become the answer, and the file that the export reads."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from facecli.errors import ExportError  # noqa: E402
from facecli.models.training import architectures, published  # noqa: E402
from facecli.models.training.config import Schedule, Stage  # noqa: E402
from facecli.models.training.published import Answer  # noqa: E402


def test_both_heads_are_in_the_answer():
    logits = torch.tensor([[4.0, 0, 0, 0, 4.0, 0]])
    heads = {"one": 3, "other": 3}
    first = published.answer_from(logits, Answer(heads=heads, share=1.0))
    second = published.answer_from(logits, Answer(heads=heads, share=0.0))
    both = published.answer_from(logits, Answer(heads=heads, share=0.5))
    assert first.argmax() == 0
    assert second.argmax() == 1
    assert torch.allclose(both, (first + second) / 2, atol=1e-6)
    assert published.answer_from(logits, Answer(heads=heads, temperature=2.0)).max() < first.max()
    alone = published.heads_from(logits, Answer(heads=heads, temperatures={"other": 2.0}))
    assert torch.allclose(alone[0], first, atol=1e-6)
    assert alone[1].max() < second.max()


def test_a_mean_is_of_the_values():
    answer = Answer(heads={"age": 3}, values=(10.0, 20.0, 60.0))
    logits = torch.tensor([[0.0, 0.0, -100.0], [-100.0, 0.0, -100.0]])
    assert torch.allclose(published.answer_from(logits, answer), torch.tensor([[15.0], [20.0]]))
    assert published.heads_from(logits, answer) == []
    assert answer.outputs == ("value",)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(b"no tensors")
    with pytest.raises(ExportError, match=r"x\.pt is no trained network of facecli") as caught:
        published.read(path)
    assert "\n" not in str(caught.value)
    torch.save({"format": 2, "state": {}}, path)
    with pytest.raises(ExportError, match=r"x\.pt has format 2, only 4 is understood"):
        published.read(path)


def test_heads_apart_answer_one_each(tmp_path):
    heads, temperatures = {"age": 3, "gender": 2}, {"age": 2.0}
    answer = Answer(heads=heads, temperatures=temperatures, apart=True)
    assert answer.outputs == ("age", "gender")
    torch.manual_seed(0)
    network = architectures.build("trunk", 5, {"blocks": 4}).eval()
    stage = Stage(network="trunk", side=48, schedule=Schedule(epochs=1, batch=8, rate=0.1), options={"blocks": 4})
    published.write(tmp_path / "x.pt", network, stage, answer)
    crops = torch.rand(2, 3, 48, 48) * 2 - 1
    with torch.inference_mode():
        ages, genders = published.read(tmp_path / "x.pt")(crops)
        logits = network(crops)
    # Only the kernels are rounded.
    assert torch.allclose(ages, (logits[:, :3] / 2).softmax(1), atol=0.01)
    assert torch.allclose(genders, logits[:, 3:].softmax(1), atol=0.01)
