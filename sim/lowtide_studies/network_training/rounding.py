"""Baselines without an engine: operands of products that are rounded to bfloat16 or to 8-bit integers."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowtide_torch import Matmul

__all__ = ["Rounding", "round_bf16", "round_int8", "round_operands_"]

Rounder = Callable[[Tensor, torch.Generator | None], Tensor]
"""Rounds a tensor: to nearest, or stochastically if it is given a generator."""

LARGEST = 127


def round_bf16(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """To bfloat16, to nearest, ties to even; gradients too."""
    return x.bfloat16().float()


def round_int8(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """To integers from -127 to 127 with one scale; to nearest, ties to even, or stochastically."""
    scale = float(x.abs().max()) / LARGEST
    if scale < torch.finfo(torch.float32).tiny:
        return torch.zeros_like(x)
    scaled = x / scale
    if generator is not None:
        scaled = torch.floor(scaled + torch.rand(x.shape, generator=generator))
    else:
        scaled = torch.round(scaled)
    return scaled.clamp(-LARGEST, LARGEST) * scale


class Rounding:
    """Rounding of operands, with the generator of all random numbers."""

    def __init__(self, rounder: Rounder, seed: int):
        self.rounder = rounder
        self.generator = torch.Generator().manual_seed(seed)

    def product(self, multiply: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor) -> Tensor:
        """A product of rounded operands with sums in FP32; both backward products have rounded operands too."""
        y = multiply(_Operand.apply(a, self.rounder), _Operand.apply(b, self.rounder))
        return _Gradient.apply(y, self)


class _Operand(torch.autograd.Function):
    """Rounds to nearest; the gradient passes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rounder: Rounder) -> Tensor:
        return rounder(x, None)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return gradient, None


class _Gradient(torch.autograd.Function):
    """Rounds the gradient of a product, which is an operand of both backward products."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, rounding: Rounding) -> Tensor:
        ctx.rounding = rounding
        return y.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return ctx.rounding.rounder(gradient, ctx.rounding.generator), None


class RoundedLinear(nn.Linear):
    """`torch.nn.Linear` with rounded operands; the bias is FP32."""

    rounding: Rounding

    def forward(self, input: Tensor) -> Tensor:
        y = self.rounding.product(functional.linear, input, self.weight)
        return y if self.bias is None else y + self.bias


class RoundedConv2d(nn.Conv2d):
    """`torch.nn.Conv2d` with rounded operands; the bias is FP32."""

    rounding: Rounding

    def forward(self, input: Tensor) -> Tensor:
        y = self.rounding.product(lambda x, weight: self._conv_forward(x, weight, None), input, self.weight)
        return y if self.bias is None else y + self.bias[:, None, None]


class RoundedMatmul(Matmul):
    """`lowtide_torch.Matmul` with rounded operands."""

    rounding: Rounding

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.rounding.product(torch.matmul, a, b)


ROUNDED: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: RoundedLinear,
    nn.Conv2d: RoundedConv2d,
    Matmul: RoundedMatmul,
}


def round_operands_(model: nn.Module, rounder: Rounder, seed: int) -> Rounding:
    """Round the operands of all products of a network, in place."""
    rounding = Rounding(rounder, seed)
    for module in model.modules():
        if type(module) in ROUNDED:
            module.__class__ = ROUNDED[type(module)]
            object.__setattr__(module, "rounding", rounding)
    return rounding
