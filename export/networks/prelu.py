"""Convolution + PReLU (+ max pooling) written with convolutions and ReLU alone, for the sake of ONNX Runtime's speed.

On the CPU ONNX Runtime keeps convolutions, sums, ReLU and pooling in a layout blocked by channels, and fuses a sum and
a ReLU into the convolution before them. PRelu has no such kernel: at each one the picture is copied to the plain layout
and back, which in MTCNN's P-Net cost more than all convolutions together.

Per channel with slope a, PReLU(x) = a x + (1 - a) relu(x). Moving the factor inside the relu wants its sign:

    a <= 1:   PReLU(x) =   a x + relu((1 - a) x)
    a >  1:  -PReLU(x) =  -a x + relu((a - 1) x)

so with s = 1 or -1 always  s PReLU(x) = (s a) x + relu(|1 - a| x), and whoever reads the channel next multiplies its
weights by s, at no cost. A negated channel can not be max-pooled, so a layer with some a > 1 is pooled first:

    a >= 0:  PReLU is monotone, pooling and PReLU change places;
    a <  0:  PReLU(x) = max(x, a x), so pooled it is max(p, e) = e + relu(p - e), p = pool(x), e = pool(a x):
             the convolution computes a x as one more channel.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

Pool = tuple[int, int]  # kernel, stride; the last window may hang over the edge (ceil_mode), as in Caffe

# ONNX Runtime's blocks are 8 or 16 channels wide, and a channel count that is no multiple of 4 leaves the fast path.
BLOCK = 16


class ReluLayer(nn.Module):
    """signs * pool(PReLU(convolution(x))), (N, C, H, W) to (N, C', H', W'), without a PReLU.

    weight, bias: the convolution's. slope: (C',) of the PReLU. All float64, so that folding costs no precision.
    """

    def __init__(self, weight: Tensor, bias: Tensor, slope: Tensor, pool: Pool | None) -> None:
        super().__init__()
        self.signs = torch.where(slope > 1, -1.0, 1.0).double()
        self.pool_first = pool is not None and bool((slope > 1).any())
        self.pool = None if pool is None else nn.MaxPool2d(*pool, ceil_mode=True)
        linear, bent = torch.diag(self.signs * slope), torch.diag((1 - slope).abs())
        if self.pool_first:
            weight, bias, linear, bent = _with_negative_channels(weight, bias, slope, linear, bent)
        self.convolution = convolution(weight, bias)
        self.linear, self.bent = _mixing(linear), _mixing(bent)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) float32 -> (N, C', H', W') float32."""
        x = self.convolution(x)
        if self.pool is not None and self.pool_first:
            x = self.pool(x)
        x = self.linear(x) + torch.relu(self.bent(x))
        if self.pool is not None and not self.pool_first:
            x = self.pool(x)
        return x


class Sum(nn.Module):
    """PReLU per channel as a x + (1 - a) relu(x): where nothing is to be folded, still faster than ONNX Runtime's."""

    def __init__(self, prelu: nn.PReLU) -> None:
        super().__init__()
        slope = prelu.weight.detach().view(1, -1, 1, 1)
        self.linear = nn.Parameter(slope.clone(), requires_grad=False)
        self.bent = nn.Parameter(1 - slope, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same."""
        return self.linear * x + self.bent * torch.relu(x)


def summed(network: nn.Module) -> nn.Module:
    """A copy of a network in which every PReLU is a Sum."""
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.PReLU):
                setattr(module, name, Sum(child))
    return network


def convolution(weight: Tensor, bias: Tensor | None, groups: int = 1) -> nn.Conv2d:
    """An unpadded float32 convolution of stride 1 with these (out, in/groups, h, w) weights."""
    outputs, inputs, height, width = weight.shape
    made = nn.Conv2d(inputs * groups, outputs, (height, width), groups=groups, bias=bias is not None)
    made.load_state_dict({"weight": weight.float()} | ({} if bias is None else {"bias": bias.float()}))
    return made


def _with_negative_channels(
    weight: Tensor, bias: Tensor, slope: Tensor, linear: Tensor, bent: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Append a channel a x for each a < 0, pad to whole blocks, and make the mixing rows e + relu(p - e) for them."""
    negative = torch.nonzero(slope < 0)[:, 0]
    channels = len(slope) + len(negative)
    padding = -channels % BLOCK
    factor = slope[negative]
    weight = torch.cat([weight, weight[negative] * factor[:, None, None, None]])
    weight = nn.functional.pad(weight, (0, 0, 0, 0, 0, 0, 0, padding))
    bias = nn.functional.pad(torch.cat([bias, bias[negative] * factor]), (0, padding))
    extra = torch.zeros(len(slope), len(negative) + padding, dtype=torch.float64)
    extra[negative, torch.arange(len(negative))] = 1
    linear, bent = linear.clone(), bent.clone()
    linear[negative] = 0
    bent[negative, negative] = 1
    return weight, bias, torch.cat([linear, extra], dim=1), torch.cat([bent, -extra], dim=1)


def _mixing(matrix: Tensor) -> nn.Conv2d:
    """The 1x1 convolution of a matrix; a diagonal one per channel, which is cheaper."""
    if matrix.shape[0] == matrix.shape[1] and torch.equal(matrix, torch.diag(torch.diag(matrix))):
        return convolution(torch.diag(matrix)[:, None, None, None], None, groups=len(matrix))
    return convolution(matrix[:, :, None, None], None)
