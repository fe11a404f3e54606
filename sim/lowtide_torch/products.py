"""Products with gradients: of a weight, and of two activations."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lowtide_model.terms import quantize_integers, reveal_data, reveal_weights
from lowtide_torch.settings import TR
from lowtide_torch.site import Call, Site, without_autocast

__all__ = ["linear", "matmul", "revealed"]


def linear(x: Tensor, weight: Tensor, site: Site, training: bool) -> Tensor:
    """``x @ weight.T`` with the engine's bits, and its gradients.

    Parameters
    ----------
    x : Tensor of float32, shape (..., K)
        Activations.
    weight : Tensor of float32, shape (N, K)
        Weights.
    site : Site
        Place of the product.
    training : bool
        Whether the module is training.
    """
    rows = x.reshape(-1, x.shape[-1])
    if site.reveals:
        y = _Revealed.apply(rows, weight, site)
    else:
        y = _Linear.apply(rows, weight, site, site.begin(training))
    return y.reshape(*x.shape[:-1], weight.shape[0])


def matmul(a: Tensor, b: Tensor, site: Site, training: bool) -> Tensor:
    """``a @ b`` of two activations with the engine's bits, and its gradients; leading dimensions broadcast.

    With term revealing, which needs weights, PyTorch computes the product.
    """
    if site.reveals:
        return torch.matmul(a, b)
    shape = torch.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left = a.expand(*shape, *a.shape[-2:]).reshape(-1, *a.shape[-2:])
    right = b.expand(*shape, *b.shape[-2:]).reshape(-1, *b.shape[-2:])
    return _Matmul.apply(left, right, site, site.begin(training)).reshape(*shape, a.shape[-2], b.shape[-1])


class _Linear(torch.autograd.Function):
    """A = rows, B = weight.T; to the inputs A = gradient, B = weight; to the weights A = rows.T, B = gradient."""

    @staticmethod
    @without_autocast
    def forward(ctx: Any, rows: Tensor, weight: Tensor, site: Site, call: Call) -> Tensor:
        a = site.operand(call, "forward", "a", "activations", rows[None])
        b = site.operand(call, "forward", "b", "weights", weight.t()[None])
        ctx.save_for_backward(rows, weight)
        ctx.site, ctx.call, ctx.most = site, call, (a.most, b.most)
        return site.multiply(call, "forward", a, b)[0]

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (rows, weight), site, call = ctx.saved_tensors, ctx.site, ctx.call
        to_rows = to_weight = most = None
        gradient = gradient.contiguous()
        if ctx.needs_input_grad[0]:
            a = site.operand(call, "to_inputs", "a", "gradients", gradient[None])
            b = site.operand(call, "to_inputs", "b", "weights", weight[None], ctx.most[1])
            to_rows, most = site.multiply(call, "to_inputs", a, b)[0], a.most
        if ctx.needs_input_grad[1]:
            a = site.operand(call, "to_weights", "a", "activations", rows.t()[None], ctx.most[0])
            b = site.operand(call, "to_weights", "b", "gradients", gradient[None], most)
            to_weight = site.multiply(call, "to_weights", a, b)[0].t()
        return to_rows, to_weight, None, None


class _Matmul(torch.autograd.Function):
    """A = a, B = b; to A: gradient times b.T; to B: a.T times gradient."""

    @staticmethod
    @without_autocast
    def forward(ctx: Any, a: Tensor, b: Tensor, site: Site, call: Call) -> Tensor:
        left = site.operand(call, "forward", "a", "activations", a)
        right = site.operand(call, "forward", "b", "activations", b)
        ctx.save_for_backward(a, b)
        ctx.site, ctx.call, ctx.most = site, call, (left.most, right.most)
        return site.multiply(call, "forward", left, right)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (a, b), site, call = ctx.saved_tensors, ctx.site, ctx.call
        to_a = to_b = most = None
        gradient = gradient.contiguous()
        if ctx.needs_input_grad[0]:
            left = site.operand(call, "to_inputs", "a", "gradients", gradient)
            right = site.operand(call, "to_inputs", "b", "activations", b.mT, ctx.most[1])
            to_a, most = site.multiply(call, "to_inputs", left, right), left.most
        if ctx.needs_input_grad[1]:
            left = site.operand(call, "to_weights", "a", "activations", a.mT, ctx.most[0])
            right = site.operand(call, "to_weights", "b", "gradients", gradient, most)
            to_b = site.multiply(call, "to_weights", left, right)
        return to_a, to_b, None, None


class _Revealed(torch.autograd.Function):
    """Product of revealed integers; gradients pass to the operands as they were before the quantization."""

    @staticmethod
    @without_autocast
    def forward(ctx: Any, rows: Tensor, weight: Tensor, site: Site) -> Tensor:
        ctx.save_for_backward(rows, weight)
        settings = site.state.settings
        assert isinstance(settings, TR)
        site.engine.prepare(rows, site.layer)
        for what, x in (("activations", rows), ("weights", weight)):
            site.check(what, x)
        return revealed(rows, weight, settings)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        rows, weight = ctx.saved_tensors
        to_rows = gradient @ weight if ctx.needs_input_grad[0] else None
        to_weight = gradient.t() @ rows if ctx.needs_input_grad[1] else None
        return to_rows, to_weight, None


def revealed(rows: Tensor, weight: Tensor, settings: TR) -> Tensor:
    """Products ``rows @ weight.T`` of integers with revealed terms: exact sums, times both scales in float64, in FP32.

    Parameters
    ----------
    rows, weight : Tensor of float32, shapes (..., M, K) and (..., N, K)
        Data and weights. Each has one scale.
    settings : TR
        Width, groups and budgets.
    """
    encoding = {"width": settings.width, "encoding": settings.encoding}
    data = quantize_integers(rows.detach().cpu().numpy(), settings.width)
    kept = quantize_integers(weight.detach().cpu().numpy(), settings.width)
    # Revealed data follow from a table of all integers.
    half = 2 ** (settings.width - 1)
    table = reveal_data(np.arange(-half, half), terms=settings.data_terms, **encoding).astype(np.float64)
    left = torch.from_numpy(table[data.integers + half])
    right = reveal_weights(kept.integers, group=settings.group, budget=settings.budget, **encoding).astype(np.float64)
    sums = left @ torch.from_numpy(right).mT
    return (sums * float(data.scale.item() * kept.scale.item())).float().to(rows.device)
