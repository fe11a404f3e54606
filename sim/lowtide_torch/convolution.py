"""Convolutions with the engine's bits, and their gradients."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lowtide_torch import direct
from lowtide_torch.products import revealed
from lowtide_torch.settings import TR
from lowtide_torch.site import Call, Site, without_autocast
from lowtide_torch.windows import Windows

__all__ = ["convolve"]

Pair = tuple[int, int]


def convolve(
    x: Tensor,
    weight: Tensor,
    site: Site,
    training: bool,
    *,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Tensor:
    """Convolution of images (N, C, H, W) with weights (outputs, C / groups, kernel rows, kernel columns).

    Forward, A has the windows and B the weights. To the inputs, A has the gradient and B the transposed weights, and
    the host adds the windows of the product. To the weights, A has the transposed windows and B the gradient.
    """
    images = x.permute(0, 2, 3, 1).contiguous()
    n, height, width, channels = images.shape
    windows = Windows(
        images=n,
        height=height,
        width=width,
        channels=channels,
        kernel=(weight.shape[2], weight.shape[3]),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )
    if site.reveals:
        y = _Revealed.apply(images, weight, site, windows)
    else:
        y = _Convolution.apply(images, weight, site, site.begin(training), windows)
    return y.permute(0, 3, 1, 2)


def _vectors(weight: Tensor, groups: int) -> Tensor:
    """Weights as (groups, outputs of a group, elements of a window)."""
    return weight.permute(0, 2, 3, 1).reshape(groups, weight.shape[0] // groups, -1)


def _weights(vectors: Tensor, shape: torch.Size) -> Tensor:
    """Inverse of `_vectors`."""
    outputs, depth, rows, columns = shape
    return vectors.reshape(outputs, rows, columns, depth).permute(0, 3, 1, 2)


def _by_group(y: Tensor, windows: Windows) -> Tensor:
    """Outputs (N, rows, columns, outputs) as (groups, windows, outputs of a group)."""
    if windows.groups == 1:
        return y.reshape(1, windows.count, -1)
    return y.reshape(windows.count, windows.groups, -1).transpose(0, 1).contiguous()


def _outputs(product: Tensor, windows: Windows) -> Tensor:
    """Inverse of `_by_group`."""
    return product.transpose(0, 1).reshape(windows.images, windows.down, windows.across, -1)


class _Convolution(torch.autograd.Function):
    @staticmethod
    @without_autocast
    def forward(ctx: Any, x: Tensor, weight: Tensor, site: Site, call: Call, windows: Windows) -> Tensor:
        vectors = _vectors(weight, windows.groups)
        a = site.operand(call, "forward", "a", "activations", x)
        b = site.operand(call, "forward", "b", "weights", vectors.mT)
        ctx.save_for_backward(x, weight)
        ctx.site, ctx.call, ctx.windows, ctx.most = site, call, windows, (a.most, b.most)
        engine, measure = site.engine, site.measures(call)
        engine.prepare(x, site.layer)
        result = direct.forward(engine, a, b, windows, measure, site.layer)
        if result is None:
            return _outputs(site.multiply(call, "forward", a.of(windows.unfold(x)), b), windows)
        engine.count(result, a.of(windows.unfold(x)) if engine.verifies else a, b, site.layer)
        site.record(call, "forward", a, b, result)
        return _outputs(result.values, windows)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (x, weight), site, call, windows = ctx.saved_tensors, ctx.site, ctx.call, ctx.windows
        gradient = _by_group(gradient.contiguous(), windows)
        to_x = to_weight = most = None
        engine, measure = site.engine, site.measures(call)
        if ctx.needs_input_grad[0]:
            vectors = _vectors(weight, windows.groups)
            a = site.operand(call, "to_inputs", "a", "gradients", gradient)
            b = site.operand(call, "to_inputs", "b", "weights", vectors, ctx.most[1])
            found = direct.to_inputs(engine, a, b, windows, measure, site.layer)
            if found is None:
                to_x = windows.fold(site.multiply(call, "to_inputs", a, b))
            else:
                to_x, result = found
                engine.count(result, a, b, site.layer, windows.fold)
                site.record(call, "to_inputs", a, b, result)
            most = a.most
        if ctx.needs_input_grad[1]:
            a = site.operand(call, "to_weights", "a", "activations", x, ctx.most[0])
            b = site.operand(call, "to_weights", "b", "gradients", gradient, most)
            result = direct.to_weights(engine, a, b, windows, measure, site.layer)
            if result is None:
                product = site.multiply(call, "to_weights", a.of(windows.unfold(x).mT), b)
            else:
                engine.count(result, a.of(windows.unfold(x).mT) if engine.verifies else a, b, site.layer)
                site.record(call, "to_weights", a, b, result)
                product = result.values
            to_weight = _weights(product.mT, weight.shape)
        return to_x, to_weight, None, None, None


class _Revealed(torch.autograd.Function):
    """Products of revealed integers; gradients pass to the operands as they were before the quantization."""

    @staticmethod
    @without_autocast
    def forward(ctx: Any, x: Tensor, weight: Tensor, site: Site, windows: Windows) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.windows = windows
        settings = site.state.settings
        assert isinstance(settings, TR)
        site.engine.prepare(x, site.layer)
        site.check("activations", x)
        site.check("weights", weight)
        return _outputs(revealed(windows.unfold(x), _vectors(weight, windows.groups), settings), windows)

    @staticmethod
    @once_differentiable
    @without_autocast
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (x, weight), windows = ctx.saved_tensors, ctx.windows
        gradient = _by_group(gradient, windows)
        to_x = windows.fold(gradient @ _vectors(weight, windows.groups)) if ctx.needs_input_grad[0] else None
        to_weight = gradient.mT @ windows.unfold(x) if ctx.needs_input_grad[1] else None
        return to_x, None if to_weight is None else _weights(to_weight, weight.shape), None, None
