"""The rewriting of PReLU must be exact for every slope, with and without pooling."""

import pytest

SLOPES = [-1.3, -0.4, 0.0, 0.25, 1.0, 1.4]


@pytest.mark.parametrize("pool", [None, (2, 2), (3, 2)])
@pytest.mark.parametrize("slopes", [SLOPES, [a for a in SLOPES if a <= 1], [0.1, 0.2, 1.5], [-0.5] * 20], ids=str)
def test_layer_equals_convolution_prelu_and_pooling(torch, slopes, pool):
    from facecli.export.networks.prelu import ReluLayer

    torch.manual_seed(0)
    slope = torch.tensor(slopes, dtype=torch.float64)
    weight, bias = torch.randn(len(slopes), 3, 3, 3, dtype=torch.float64), torch.randn(len(slopes), dtype=torch.float64)
    x = torch.randn(2, 3, 14, 17)
    expected = torch.prelu(torch.nn.functional.conv2d(x.double(), weight, bias), slope)
    if pool is not None:
        expected = torch.nn.functional.max_pool2d(expected, *pool, ceil_mode=True)

    layer = ReluLayer(weight, bias, slope, pool)
    got = layer.signs[None, :, None, None] * layer(x)

    assert not any(isinstance(module, torch.nn.PReLU) for module in layer.modules())
    torch.testing.assert_close(got.float(), expected.float(), rtol=0, atol=1e-5)


def test_a_slope_above_one_negates_its_channel(torch):
    from facecli.export.networks.prelu import ReluLayer

    layer = ReluLayer(torch.ones(2, 1, 1, 1).double(), torch.zeros(2).double(), torch.tensor([0.5, 2.0]).double(), None)
    assert layer.signs.tolist() == [1, -1]


@pytest.mark.parametrize("name", ["p_net", "r_net", "o_net"])
def test_exported_form_equals_the_plain_network(torch, name):
    from facecli.export.networks import mtcnn

    torch.manual_seed(3)
    plain = getattr(mtcnn, name)().eval()
    with torch.no_grad():
        for parameter_name, parameter in plain.named_parameters():
            if "prelu" in parameter_name:
                parameter.uniform_(-1.2, 1.3 if parameter_name.startswith("prelu1") else 1.0)
    side = {"p_net": 37, "r_net": 24, "o_net": 48}[name]
    pixels = torch.randint(0, 256, (3, 3, side, side)).float()
    with torch.inference_mode():
        for got, expected in zip(mtcnn.Exported(plain).eval()(pixels), plain(pixels), strict=True):
            torch.testing.assert_close(got, expected, rtol=0, atol=1e-5)


def test_a_network_with_sums_in_place_of_prelus_is_the_same_function(torch):
    from facecli.export.networks.prelu import Sum, summed

    nn = torch.nn
    inner = nn.Sequential(nn.Conv2d(3, 5, 3), nn.PReLU(5))
    network = nn.Sequential(inner, nn.PReLU(5), nn.Flatten()).eval()
    with torch.no_grad():
        inner[1].weight.copy_(torch.tensor([0.0, 0.25, 1.0, 1.7, -0.4]))
    made = summed(network)
    x = torch.randn(2, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(made(x), network(x), atol=1e-6, rtol=1e-6)
    assert sum(isinstance(module, Sum) for module in made.modules()) == 2
    assert sum(isinstance(module, nn.PReLU) for module in network.modules()) == 2
