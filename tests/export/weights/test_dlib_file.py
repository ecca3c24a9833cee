"""The reader of dlib's serialization, on bytes written here."""

import numpy as np
import pytest

from facecli.errors import ExportError
from facecli.export.weights.dlib_file import Reader, parse_layers, read_layers


def integer(value: int) -> bytes:
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def text(value: str) -> bytes:
    return integer(len(value)) + value.encode()


def tensor(values, version=2) -> bytes:
    values = np.asarray(values, "<f4").ravel()
    return integer(version) + b"".join(integer(n) for n in (1, len(values), 1, 1)) + values.tobytes()


def network(version=2) -> bytes:
    # The second convolution's weights contain the bytes of a layer's name, which is chance and must be passed over.
    disguised = np.frombuffer(b"\x01\x05con_4\x00", "<f4")
    return (
        b"junk"
        + (text("con_4") + tensor([1, 2, 3, 4, 10, 20], version) + integer(2) + integer(3))
        + (text("affine_") + tensor([0.5, 0.25, -1, -2]))
        + (text("con_4") + tensor([*disguised, 5, 7]) + integer(1))
        + (text("affine_") + tensor([2, 3]))
        + (text("fc_2") + integer(3) + integer(2) + tensor([1, 2, 3, 4, 5, 6]))
    )


@pytest.mark.parametrize("value", [0, 1, 255, 256, 70000, -1, -300])
def test_integers(value):
    reader = Reader(integer(value))
    assert reader.integer() == value
    assert reader.position == len(reader.content)


def test_layers_come_in_forward_order():
    layers = parse_layers(network())
    (first, bias), (_, second_bias) = layers.convolutions
    assert first.tolist() == [1, 2, 3, 4]
    assert bias.tolist() == [10, 20]
    assert second_bias.tolist() == [7]
    assert [[a.tolist() for a in pair] for pair in layers.affines] == [[[0.5, 0.25], [-1, -2]], [[2], [3]]]
    assert layers.dense.tolist() == [[1, 4], [2, 5], [3, 6]]


@pytest.mark.parametrize("content", [b"", b"no network", network()[:-5], network()[:12], network(version=1)])
def test_other_files_are_refused(content):
    with pytest.raises(ExportError):
        parse_layers(content)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(ExportError, match=r"none\.dat can not be read: No such file"):
        read_layers(tmp_path / "none.dat")


def test_a_network_of_another_depth_is_refused(torch):
    from facecli.export.networks.dlib_resnet import build_network

    with pytest.raises(ExportError, match="has 29 convolutions, this file 2"):
        build_network(parse_layers(network()))
