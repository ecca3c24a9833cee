"""Residual networks with squeeze-and-excitation for small crops: of any size, trained or packed to be shipped.

Residual blocks after arXiv 1512.03385, their shortcuts pooled after arXiv 1812.01187, squeeze-and-excitation after
arXiv 1709.01507, stochastic depth after arXiv 1603.09382. Channels are multiples of 32 and the resolution is halved by
the first convolution, because that is what a CPU does fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

_SMALL_MAP = 6  # px, side of the largest output that TrainedConvolution computes itself


class Squeeze(nn.Module):
    """Squeeze-and-excitation: a small network gives each channel a weight by the means of all channels."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.down = nn.Linear(channels, channels // reduction)
        self.up = nn.Linear(channels // reduction, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W) of (N, C, H, W)."""
        weights = torch.sigmoid(self.up(functional.relu(self.down(x.mean((2, 3))))))
        return x * weights[:, :, None, None]


class PackedConvolution(nn.Module):
    """A convolution with its batch normalisation folded in, and an int8 kernel with one scale per filter.

    It computes in float32: the file has a quarter of the bytes, and only the kernel is rounded. kernel: odd, px.
    padding: px, half of the kernel if not given.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, padding: int | None = None) -> None:
        super().__init__()
        self.stride, self.padding = stride, kernel // 2 if padding is None else padding
        self.register_buffer("weight", torch.zeros(outputs, inputs, kernel, kernel, dtype=torch.int8))
        self.register_buffer("scale", torch.zeros(outputs, 1, 1, 1))
        self.register_buffer("bias", torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H / stride, W / stride) float32 of (N, C, H, W) float32."""
        weight, scale, bias = cast(Tensor, self.weight), cast(Tensor, self.scale), cast(Tensor, self.bias)
        return functional.conv2d(x, weight.float() * scale, bias, self.stride, self.padding)


class TrainedConvolution(nn.Conv2d):
    """A Conv2d for square maps that a CPU learns faster: on the smallest maps it is one product of two matrices.

    On those, oneDNN takes many times as long for the gradient of the weights (benchmarks/training_step.py).
    kernel: odd, px.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H / stride, W / stride) of (N, C, H, W)."""
        stride, kernel = self.stride[0], self.kernel_size[0]
        side = (x.shape[-1] - 1) // stride + 1
        if not self.training or x.device.type != "cpu" or kernel == 1 or side > _SMALL_MAP:
            return super().forward(x)
        border = kernel // 2
        padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, border, border, border, border))
        reach = stride * (side - 1) + 1
        taps = [(row, column) for row in range(kernel) for column in range(kernel)]
        patches = torch.cat([padded[:, r : r + reach : stride, c : c + reach : stride] for r, c in taps], -1)
        filters = self.weight.permute(0, 2, 3, 1).flatten(1)
        return functional.linear(patches, filters).permute(0, 3, 1, 2)


class Convolution(nn.Sequential):
    """A convolution and its batch normalisation, to be trained.

    padding: px, half of the kernel if not given. plain: an ordinary Conv2d, which a CPU without AMX learns faster.
    """

    def __init__(  # a layer's own numbers
        self, inputs: int, outputs: int, kernel: int, stride: int, padding: int | None = None, *, plain: bool = False
    ) -> None:
        convolution: nn.Conv2d
        if plain:
            border = kernel // 2 if padding is None else padding
            convolution = nn.Conv2d(inputs, outputs, kernel, stride, border, bias=False)
        else:
            convolution = TrainedConvolution(inputs, outputs, kernel, stride)
        super().__init__(convolution, nn.BatchNorm2d(outputs))

    def packed(self) -> dict[str, Tensor]:
        """Return the state of a PackedConvolution that computes the same; it is folded in float64."""
        convolution, norm = cast(nn.Conv2d, self[0]), cast(nn.BatchNorm2d, self[1])
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        folded = convolution.weight.double() * gain[:, None, None, None]
        # A filter that batch normalisation has switched off has no largest weight to divide by.
        scale = (folded.abs().amax((1, 2, 3), keepdim=True) / 127).clamp_min(1e-12).float()
        weight = (folded / scale).round().clamp(-127, 127).to(torch.int8)
        bias = (norm.bias.double() - norm.running_mean.double() * gain).float()
        return {"weight": weight, "scale": scale, "bias": bias}


Layer = Callable[[int, int, int, int], nn.Module]


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut. drop: the probability of leaving them out in training."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, drop: float, layer: Layer) -> None:
        super().__init__()
        self.drop = drop
        self.first = layer(inputs, outputs, 3, stride)
        self.second = layer(outputs, outputs, 3, 1)
        self.squeeze = Squeeze(outputs)
        pool = nn.AvgPool2d(2) if stride == 2 else nn.Identity()
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(pool, layer(inputs, outputs, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H / stride, W / stride) of (N, C, H, W)."""
        y = self.squeeze(self.second(functional.relu(self.first(x))))
        if self.training and self.drop:
            # Not in place of whole batches: every picture of one leaves out blocks of its own.
            kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop
            y = y * kept.to(y.dtype) / (1 - self.drop)
        return functional.relu(y + self.shortcut(x))


class ResidualNetwork(nn.Module):
    """A network from (N, inputs, H, W) float32 in [-1, 1] to (N, outputs) logits; it standardises each picture first.

    inputs: 1 for grey, 3 for RGB. stem: channels of the first convolution. stages: (channels, blocks) each; all but the
    first halve the resolution, which the stem has halved once. dropout: before the last layer. drop: the last block's
    probability of being left out; earlier blocks have less. packed: made of PackedConvolution, to be shipped.
    """

    def __init__(  # noqa: PLR0913 # by keyword: the `options` of a training's recipe
        self,
        outputs: int,
        *,
        inputs: int = 1,
        stem: int,
        stages: Sequence[tuple[int, int]],
        dropout: float = 0.0,
        drop: float = 0.0,
        packed: bool = False,
    ) -> None:
        super().__init__()
        layer = PackedConvolution if packed else Convolution
        self.inputs = inputs
        self.stem = layer(inputs, stem, 5, 2)
        self.blocks = nn.Sequential()
        total, channels = sum(count for _, count in stages), stem
        for number, (width, count) in enumerate(stages):
            for place in range(count):
                stride = 2 if number and not place else 1
                rising = drop * (len(self.blocks) + 1) / total
                self.blocks.append(Block(channels, width, stride=stride, drop=rising, layer=layer))
                channels = width
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, outputs)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return (N, outputs) float32 logits of (N, inputs, H, W) float32."""
        x = self.blocks(functional.relu(self.stem(standardised(pixels))))
        return cast(Tensor, self.head(self.dropout(x.mean((2, 3)))))


def standardised(pixels: Tensor) -> Tensor:
    """Return each picture less its mean, divided by its standard deviation: light and contrast should not matter."""
    centred = pixels - pixels.mean((1, 2, 3), keepdim=True)
    # 0.02 of 2 is a grey level difference that only noise has: a flat picture stays flat.
    return centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)


def packed_state(network: nn.Module) -> dict[str, Tensor]:
    """Return the state of a packed network that computes the same as a trained one."""
    state: dict[str, Tensor] = {}
    folded = {name: module for name, module in network.named_modules() if isinstance(module, Convolution)}
    for name, module in folded.items():
        state |= {f"{name}.{key}": value.detach() for key, value in module.packed().items()}
    for name, value in network.state_dict().items():
        if not any(name.startswith(f"{prefix}.") for prefix in folded):
            state[name] = value.detach()
    return state
