"""The residual network: as it is trained, and packed."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from facecli.models.training.networks import (  # noqa: E402
    ResidualNetwork,
    TrainedConvolution,
    packed_state,
    standardised,
)


@pytest.mark.parametrize(
    ("side", "stride", "kernel"), [(6, 1, 3), (3, 1, 3), (12, 2, 3), (5, 2, 3), (5, 1, 5), (6, 1, 1)]
)
def test_the_convolution_of_small_maps_is_a_convolution(monkeypatch, side, stride, kernel):
    torch.manual_seed(0)
    ours = TrainedConvolution(8, 16, kernel, stride)
    plain = torch.nn.Conv2d(8, 16, kernel, stride, kernel // 2, bias=False)
    plain.load_state_dict(ours.state_dict())
    seen = torch.rand(4, 8, side, side).to(memory_format=torch.channels_last)
    if kernel > 1:
        monkeypatch.setattr(ours, "_conv_forward", None)  # what a Conv2d would compute with is not asked
    inputs = [seen.clone().requires_grad_() for _ in range(2)]
    outputs = [layer(x) for layer, x in zip((ours, plain), inputs, strict=True)]
    weights = torch.rand_like(outputs[0])
    for output in outputs:
        (output * weights).sum().backward()
    assert torch.allclose(*outputs, atol=1e-5)
    assert torch.allclose(*(x.grad for x in inputs), atol=1e-5)
    assert torch.allclose(ours.weight.grad, plain.weight.grad, atol=1e-4)


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
