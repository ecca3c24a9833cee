"""PyTorch states: unwrapped, misfits told by count and name, and never a pickle that runs code."""

import os
import pickle

import pytest

from facecli.errors import ExportError


@pytest.fixture
def network(torch):
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.PReLU(4))


def renamed(state, prefix):
    return {prefix + name: tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("wrap", "notes"),
    [
        (lambda state: state, ()),
        (lambda state: renamed(state, "module."), ("dropped the prefix 'module.' of every name",)),
        (lambda state: {"epoch": 3, "state_dict": state}, ("took the state from 'state_dict'",)),
        (
            lambda state: {"net_state_dict": renamed(state, "module._orig_mod.")},
            (
                "took the state from 'net_state_dict'",
                "dropped the prefix 'module.' of every name",
                "dropped the prefix '_orig_mod.' of every name",
            ),
        ),
        (lambda state: {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}, ()),
        (lambda state: state | {"logits.weight": state["0.bias"]}, ("left out logits.weight",)),
    ],
)
def test_states_are_unwrapped_and_it_is_said(torch, network, tmp_path, wrap, notes):
    from facecli.export.weights.state import load_state

    expected = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.save(wrap(expected), tmp_path / "net.pth")
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert load_state(network, tmp_path / "net.pth", spare=("logits",)) == notes
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)


def test_safetensors(torch, network, tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed, part of facecli[export]")
    from safetensors.torch import save_file

    from facecli.export.weights.state import load_state

    save_file(renamed(network.state_dict(), "module."), tmp_path / "net.safetensors")
    other = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.PReLU(4))
    assert load_state(other, tmp_path / "net.safetensors") == ("dropped the prefix 'module.' of every name",)
    torch.testing.assert_close(other[0].weight, network[0].weight, rtol=0, atol=0)


def test_a_misfit_is_one_line_with_counts_and_first_names(torch, network, tmp_path):
    from facecli.export.weights.state import load_state

    state = network.state_dict()
    state["0.weight"] = state["0.weight"][:2]
    for name in ("1.weight", "1.bias", "1.running_mean", "2.weight"):
        del state[name]
    torch.save(state | {"fc.weight": torch.ones(2)}, tmp_path / "net.pth")
    with pytest.raises(ExportError) as caught:
        load_state(network, tmp_path / "net.pth")
    expected = (
        "net.pth is no state of this network: 4 missing (1.weight, 1.bias, 1.running_mean, ...); "
        "1 unexpected (fc.weight); 1 of another shape (0.weight is 2x3x3x3 not 4x3x3x3)"
    )
    assert str(caught.value).endswith(expected)


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("plain", [True, False], ids=["pickle", "torch.save"])
def test_a_pickle_that_runs_code_is_refused(torch, network, tmp_path, plain):
    from facecli.export.weights.state import load_state

    target, file = tmp_path / "was-run", tmp_path / "net.pth"
    content = {"state_dict": Hostile(str(target))}
    file.write_bytes(pickle.dumps(content, 2)) if plain else torch.save(content, file)
    with pytest.raises(ExportError) as caught:
        load_state(network, file)
    assert not target.exists()
    assert "\n" not in str(caught.value)
    if not plain:
        assert "is a pickle that would run code, it was not opened" in str(caught.value)
    torch.load(file, weights_only=False) if not plain else pickle.loads(file.read_bytes())
    assert target.exists()  # so the file was what it was meant to be


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no state at all", b"\xff" * 64, b"PK\x03\x04 broken"])
def test_other_files_are_one_line(torch, network, tmp_path, name, content):
    from facecli.export.weights.state import load_state

    if name.endswith("safetensors"):
        pytest.importorskip("safetensors", reason="safetensors is not installed, part of facecli[export]")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExportError, match=rf"{name} is no ") as caught:
        load_state(network, tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [{}, [1], {"epoch": 3}, {"state_dict": {"a": 1}}])
def test_a_file_without_a_state_says_where_it_was_sought(torch, network, tmp_path, content):
    from facecli.export.weights.state import load_state

    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(ExportError, match="holds no state, neither itself nor under one of state_dict, "):
        load_state(network, tmp_path / "net.pth")


def test_a_missing_file_is_one_line(torch, network, tmp_path):
    from facecli.export.weights.state import load_state

    for name in ("none.pth", "none.safetensors"):
        with pytest.raises(ExportError, match=r"can not be read: No such file"):
            load_state(network, tmp_path / name)
