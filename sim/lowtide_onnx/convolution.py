"""Conv of one and two dimensions: products of windows and weights."""

import math
from collections.abc import Sequence

import attrs
import numpy as np

from lowtide_onnx.operand import Arrays, Multiply, Operand, Sizes, WrongShape, check_shape

__all__ = ["Convolution", "windows"]

PADS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


@attrs.frozen(kw_only=True)
class Convolution:
    """Convolution of images (N, C, H, W), or of rows (N, C, W).

    A has one row per window, in the order of images, rows and columns. The elements of a row are in the order of kernel
    rows, kernel columns and channels. Each group of channels has a matrix. The host adds the bias.

    Parameters
    ----------
    dimensions : int
        1 or 2.
    strides, dilations : tuple of int
        Step of the windows, and step of the elements of a window, per dimension.
    pads : tuple of int
        Zeros before each dimension, then zeros after each dimension.
    auto_pad : str
        ``SAME_UPPER`` or ``SAME_LOWER`` for as many windows as elements per stride, ``VALID`` for no padding, or
        ``NOTSET`` for ``pads``.
    groups : int
        Groups of channels.
    """

    dimensions: int
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]
    auto_pad: str
    groups: int
    sites = ("",)
    adds_bias = True

    def compute(self, inputs: Arrays, multiply: Multiply) -> list[np.ndarray]:
        x, weights = inputs[:2]
        assert x is not None
        assert weights is not None
        kernel, outputs, groups = weights.shape[2:], weights.shape[0], self.groups
        check_shape("input 0", x, None, weights.shape[1] * groups, *[None] * self.dimensions)
        if outputs % groups:
            raise WrongShape(f"input 1 must have a multiple of {groups} outputs, not {outputs}")
        pads = self.padding(x.shape[2:], kernel)
        rows, counts = windows(x, kernel, self.strides, self.dilations, pads, groups)
        product = multiply(0, Operand.of(rows, "input 0", x), Operand.of(self.matrices(weights), "input 1"))
        y = product.transpose(0, 2, 1).reshape(outputs, x.shape[0], *counts).swapaxes(0, 1)
        bias = inputs[2] if len(inputs) > 2 else None
        if bias is not None:
            check_shape("input 2", bias, outputs)
            y = y + bias.reshape(-1, *[1] * self.dimensions)
        return [np.ascontiguousarray(y)]

    def padding(self, sizes: Sequence[int], kernel: Sequence[int]) -> list[tuple[int, int]]:
        """Zeros before and after each dimension."""
        if self.auto_pad == "VALID":
            return [(0, 0)] * self.dimensions
        if self.auto_pad == "NOTSET":
            return list(zip(self.pads[: self.dimensions], self.pads[self.dimensions :], strict=True))
        found = []
        for size, taps, stride, dilation in zip(sizes, kernel, self.strides, self.dilations, strict=True):
            zeros = max((-(-size // stride) - 1) * stride + dilation * (taps - 1) + 1 - size, 0)
            few, many = zeros // 2, zeros - zeros // 2
            found.append((few, many) if self.auto_pad == "SAME_UPPER" else (many, few))
        return found

    def sizes(self, shapes: Sequence[Sequence[int | None] | None]) -> Sizes:
        x, weights = shapes[:2]
        if not weights or None in weights:
            return None, None, None
        outputs, depth, *kernel = (size or 0 for size in weights)
        m = None
        if x and None not in x:
            images, _, *lengths = (size or 0 for size in x)
            counts = _counts(lengths, kernel, self.strides, self.dilations, self.padding(lengths, kernel))
            m = images * math.prod(counts)
        return m, math.prod(kernel) * depth, outputs // self.groups

    def columns(self, weights: Sequence[int]) -> int:
        """Columns of all matrices B with weights of this shape."""
        return weights[0]

    def matrices(self, weights: np.ndarray) -> np.ndarray:
        """B of shape (groups, K, N)."""
        return np.moveaxis(weights, 1, -1).reshape(self.groups, len(weights) // self.groups, -1).transpose(0, 2, 1)

    def stored(self, b: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """The weights of B, of this shape: the inverse of `matrices`."""
        outputs, depth, *kernel = shape
        return np.moveaxis(b.transpose(0, 2, 1).reshape(outputs, *kernel, depth), -1, 1)


def _counts(
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[tuple[int, int]],
) -> list[int]:
    """Windows per dimension."""
    return [
        (size + sum(pad) - dilation * (taps - 1) - 1) // stride + 1
        for size, taps, stride, dilation, pad in zip(sizes, kernel, strides, dilations, pads, strict=True)
    ]


def windows(
    x: np.ndarray,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[tuple[int, int]],
    groups: int,
) -> tuple[np.ndarray, list[int]]:
    """Windows of images (N, C, ...) of any number of dimensions.

    Returns
    -------
    rows : array, shape (groups, windows, elements)
        Windows in the order of images and dimensions; elements in the order of the kernel's dimensions and channels.
    counts : list of int
        Windows per dimension.
    """
    images, channels, *sizes = x.shape
    counts = _counts(sizes, kernel, strides, dilations, pads)
    if min(counts) < 1 or min(size for pad in pads for size in pad) < 0:
        raise WrongShape(f"windows of {tuple(kernel)} do not fit into {tuple(sizes)} with the padding {tuple(pads)}")
    padded = np.ascontiguousarray(np.pad(np.moveaxis(x, 1, -1), [(0, 0), *pads, (0, 0)]))
    depth = channels // groups
    n, *steps, c = padded.strides
    shape = (groups, images, *counts, *kernel, depth)
    moves = [step * stride for step, stride in zip(steps, strides, strict=True)]
    taps = [step * dilation for step, dilation in zip(steps, dilations, strict=True)]
    view = np.lib.stride_tricks.as_strided(padded, shape, (depth * c, n, *moves, *taps, c), writeable=False)
    return view.reshape(groups, images * math.prod(counts), math.prod(kernel) * depth), counts
