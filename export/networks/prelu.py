"""PReLU, alone or with a convolution and max pooling, written with convolutions and ReLU: ONNX Runtime runs it faster.

On the CPU ONNX Runtime keeps convolutions, sums, ReLU and pooling in a layout blocked by channels, and fuses a sum and
a ReLU into the convolution before them. PRelu has no such kernel: at each one the picture is copied to the plain layout
and back, which in MTCNN's P-Net cost more than all convolutions together.

For a channel with slope a, PReLU(x) = a x + (1 - a) relu(x). To move the factor inside the relu, its sign matters:

    a <= 1:   PReLU(x) =   a x + relu((1 - a) x)
    a >  1:  -PReLU(x) =  -a x + relu((a - 1) x)

so with s = 1 or -1 always  s PReLU(x) = (s a) x + relu(|1 - a| x), and the layer that reads the channel next multiplies
its weights by s, at no cost. A negated channel can not be max-pooled, so a layer with some a > 1 is pooled first:

    a >= 0:  PReLU is monotone, pooling and PReLU change places;
    a <  0:  PReLU(x) = max(x, a x), so pooled it is max(p, e) = e + relu(p - e) with p = pool(x) and e = pool(a x);
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
    """A layer that computes signs * pool(PReLU(convolution(x))) without a PReLU.

    weight, bias: the convolution's. slope: (C',), the PReLU's. All are float64, so that folding costs no precision.
    signs: (C',) of 1 or -1; the next layer must multiply its weights by them.
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
        """Map (N, C, H, W) float32 to (N, C', H', W') float32."""
        x = self.convolution(x)
        if self.pool is not None and self.pool_first:
            x = self.pool(x)
        x = self.linear(x) + torch.relu(self.bent(x))
        if self.pool is not None and not self.pool_first:
            x = self.pool(x)
        return x


class Sum(nn.Module):
    """PReLU per channel as a x + (1 - a) relu(x): faster than ONNX Runtime's, even without folding."""

    def __init__(self, prelu: nn.PReLU) -> None:
        super().__init__()
        slope = prelu.weight.detach().view(1, -1, 1, 1)
        self.linear = nn.Parameter(slope.clone(), requires_grad=False)
        self.bent = nn.Parameter(1 - slope, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return self.linear * x + self.bent * torch.relu(x)


def summed(network: nn.Module) -> nn.Module:
    """Return a copy of a network in which every PReLU is a Sum."""
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.PReLU):
                setattr(module, name, Sum(child))
    return network


def convolution(weight: Tensor, bias: Tensor | None, groups: int = 1) -> nn.Conv2d:
    """Return an unpadded float32 convolution of stride 1 with weights (outputs, inputs / groups, height, width)."""
    outputs, inputs, height, width = weight.shape
    layer = nn.Conv2d(inputs * groups, outputs, (height, width), groups=groups, bias=bias is not None)
    layer.load_state_dict({"weight": weight.float()} | ({} if bias is None else {"bias": bias.float()}))
    return layer


def _with_negative_channels(
    weight: Tensor, bias: Tensor, slope: Tensor, linear: Tensor, bent: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Append a channel a x for each a < 0, pad to whole blocks, and mix them as e + relu(p - e).

    Returns the convolution's weight and bias, and the matrices of the linear and the bent part.
    """
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
    """Return the 1x1 convolution of a matrix: one per channel for a diagonal matrix, which is cheaper."""
    if matrix.shape[0] == matrix.shape[1] and torch.equal(matrix, torch.diag(torch.diag(matrix))):
        return convolution(torch.diag(matrix)[:, None, None, None], None, groups=len(matrix))
    return convolution(matrix[:, :, None, None], None)
