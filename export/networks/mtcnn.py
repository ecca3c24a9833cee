"""MTCNN's P-, R- and O-Net (arXiv 1604.02878), as published and in the faster form that is exported.

Layer sizes and names are those of facenet-pytorch's states, so that these load strictly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from facecli.export.networks.prelu import Pool, ReluLayer, convolution

# The Caffe original's input is (pixel - 127.5) / 128, with pixels 0..255.
MEAN, STD = 127.5, 128.0


class Network(nn.Module):
    """A network as published: (N, 3, H, W) float32 RGB 0..255 to the probability of a face, regression[, landmarks].

    convolutions: (channels, kernel, pool) of each. dense: (inputs, outputs) of the dense layer, None for P-Net.
    heads: the number of outputs of each head; the first is the pair (no face, face).
    """

    def __init__(
        self, convolutions: Sequence[tuple[int, int, Pool | None]], dense: tuple[int, int] | None, heads: Sequence[int]
    ) -> None:
        super().__init__()
        self.pools = [pool for _, _, pool in convolutions]
        self.dense = None if dense is None else f"dense{len(convolutions) + 1}"
        inputs, last = 3, len(convolutions)
        for k, (channels, kernel, _) in enumerate(convolutions, 1):
            self.add_module(f"conv{k}", nn.Conv2d(inputs, channels, kernel))
            self.add_module(f"prelu{k}", nn.PReLU(channels))
            inputs = channels
        if dense is not None:
            last += 1
            self.add_module(f"dense{last}", nn.Linear(*dense))
            self.add_module(f"prelu{last}", nn.PReLU(dense[1]))
        kind = "conv" if dense is None else "dense"
        self.heads = [f"{kind}{last + 1}_{j}" for j in range(1, len(heads) + 1)]
        for name, outputs in zip(self.heads, heads, strict=True):
            self.add_module(name, nn.Conv2d(inputs, outputs, 1) if dense is None else nn.Linear(dense[1], outputs))

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Map (N, 3, H, W) float32 to probability (N, ...), regression (N, 4, ...) and, in O-Net, landmarks (N, 10)."""
        x = (pixels - MEAN) / STD
        for k, pool in enumerate(self.pools, 1):
            x = self.get_submodule(f"prelu{k}")(self.get_submodule(f"conv{k}")(x))
            if pool is not None:
                x = nn.functional.max_pool2d(x, *pool, ceil_mode=True)
        if self.dense is not None:
            # The dense weights expect columns before rows before channels, as MATLAB stored them.
            x = self.get_submodule(self.dense)(x.permute(0, 3, 2, 1).flatten(1))
            x = self.get_submodule(self.dense.replace("dense", "prelu"))(x)
        face, *others = (self.get_submodule(name)(x) for name in self.heads)
        return torch.softmax(face, 1)[:, 1], *others


def p_net() -> Network:
    """Return the proposal network, fully convolutional: it judges windows of 12x12 px, 2 px apart."""
    return Network([(10, 3, (2, 2)), (16, 3, None), (32, 3, None)], None, (2, 4))


def r_net() -> Network:
    """Return the refinement network for 24x24 crops."""
    return Network([(28, 3, (3, 2)), (48, 3, (3, 2)), (64, 2, None)], (576, 128), (2, 4))


def o_net() -> Network:
    """Return the output network for 48x48 crops, with five landmarks."""
    return Network([(32, 3, (3, 2)), (64, 3, (3, 2)), (64, 3, (2, 2)), (128, 2, None)], (1152, 256), (2, 4, 10))


class Exported(nn.Module):
    """The function of a Network in the form that ONNX Runtime runs fastest (measured: models/cards/mtcnn.md).

    The normalisation sits in the first convolution, PReLUs are ReluLayers, the heads are one layer, and the softmax
    of two classes is the sigmoid of their difference.
    """

    def __init__(self, plain: Network) -> None:
        super().__init__()
        state = {name: value.double() for name, value in plain.state_dict().items()}
        self.layers = nn.Sequential()
        signs = torch.ones(3, dtype=torch.float64)
        for k, pool in enumerate(plain.pools, 1):
            weight, bias = state[f"conv{k}.weight"] * signs[None, :, None, None], state[f"conv{k}.bias"]
            if k == 1:
                bias = bias - MEAN / STD * weight.sum((1, 2, 3))
                weight = weight / STD
            layer = ReluLayer(weight, bias, state[f"prelu{k}.weight"], pool)
            self.layers.append(layer)
            signs = layer.signs
        if plain.dense is not None:
            self.layers.extend(_dense(plain, state, signs))
            signs = torch.ones(1, dtype=torch.float64)
        self.head, self.sizes = _head(plain, state, signs)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Map (N, 3, H, W) float32 to probability (N, ...), regression (N, 4, ...) and, in O-Net, landmarks (N, 10)."""
        face, *others = torch.split(self.head(self.layers(pixels)), self.sizes, dim=1)
        return torch.sigmoid(face[:, 0]), *others


def _dense(plain: Network, state: dict[str, Tensor], signs: Tensor) -> tuple[nn.Module, ...]:
    """Return the dense layer, with its columns in the order (channel, row, column), so that nothing is transposed."""
    name = cast(str, plain.dense)
    weight = state[f"{name}.weight"]
    channels, side = len(signs), round((weight.shape[1] / len(signs)) ** 0.5)
    weight = weight.reshape(-1, side, side, channels).permute(0, 3, 2, 1) * signs[None, :, None, None]
    slope = state[f"{name.replace('dense', 'prelu')}.weight"]
    prelu = nn.PReLU(len(slope))
    prelu.load_state_dict({"weight": slope.float()})
    return nn.Flatten(), _linear(weight.flatten(1), state[f"{name}.bias"]), prelu


def _head(plain: Network, state: dict[str, Tensor], signs: Tensor) -> tuple[nn.Module, list[int]]:
    """Return all heads as one layer, and the number of outputs of each; of (no face, face) their difference remains."""
    weights, biases = ([state[f"{name}.{kind}"] for name in plain.heads] for kind in ("weight", "bias"))
    weights[0], biases[0] = (face[1:] - face[:1] for face in (weights[0], biases[0]))
    weight, bias = torch.cat(weights), torch.cat(biases)
    sizes = [len(part) for part in biases]
    if plain.dense is None:
        return convolution(weight * signs[None, :, None, None], bias), sizes
    return _linear(weight, bias), sizes


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.load_state_dict({"weight": weight.float(), "bias": bias.float()})
    return linear
