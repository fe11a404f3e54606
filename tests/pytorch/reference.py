"""Slow reference of networks: forward and backward in NumPy, every product by the golden engine's `multiply`.

Written from docs/reference/network_numerics.md, without the code of `lowtide_torch`.
"""

import numpy as np

from lowtide.config import Config
from lowtide.engine.seeds import operand_seed, panel_seed
from lowtide_model import default_bias
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply

PRODUCTS = ("forward", "to_inputs", "to_weights")


class Products:
    """Products of a layer, by site, call and kind."""

    def __init__(self, config: Config, seed: int, kinds: dict[str, tuple[int, str]], layer: int = 0):
        """Settings of each kind are (bits, rounding)."""
        self.config, self.layer, self.seed, self.kinds = config, layer, seed, kinds
        self.engine = GoldenEngine(config)

    def multiply(self, product, a, b, kinds, *, tensors=(None, None), site=0, call=0):
        """Product of matrices (count, M, K) and (count, K, N), whose biases follow from whole tensors."""
        a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
        word = np.random.SeedSequence((self.seed, 0, self.layer, site, call, PRODUCTS.index(product)))
        word = int(word.generate_state(1, np.uint64)[0])
        bits, bfp = self.config.engine.lfsr_bits, self.config.bfp
        found = []
        for i in range(len(a)):
            settings = []
            for side, x, kind, tensor in zip("ab", (a, b), kinds, tensors, strict=True):
                width, rounding = self.kinds[kind]
                settings.append(
                    OperandSettings(
                        chunks=width // (bfp.chunk_a if side == "a" else bfp.chunk_b),
                        rounding=rounding,
                        seed=panel_seed(operand_seed(word, side, bits), side, i, bits),
                        bias=default_bias(x if tensor is None else tensor, exponent=bfp.exponent),
                    )
                )
            left, right = np.ascontiguousarray(a[i]), np.ascontiguousarray(b[i].T).T
            found.append(multiply(self.engine, left, right, *settings).values)
        return np.stack(found)

    def linear(self, x, weight, **place):
        """``x @ weight.T`` for rows (R, K)."""
        return self.multiply("forward", x[None], weight.T[None], ("activations", "weights"), **place)[0]

    def linear_gradients(self, x, weight, dy, **place):
        """Gradients of the rows and of the weight."""
        dx = self.multiply("to_inputs", dy[None], weight[None], ("gradients", "weights"), **place)[0]
        dw = self.multiply("to_weights", x.T[None], dy[None], ("activations", "gradients"), **place)[0]
        return dx, dw.T

    def matmul(self, a, b, **place):
        """Product of activations."""
        return self.multiply("forward", a, b, ("activations", "activations"), **place)

    def matmul_gradients(self, a, b, dy, **place):
        """Gradients of both operands."""
        da = self.multiply("to_inputs", dy, b.swapaxes(1, 2), ("gradients", "activations"), **place)
        db = self.multiply("to_weights", a.swapaxes(1, 2), dy, ("activations", "gradients"), **place)
        return da, db

    def convolution(self, x, weight, geometry):
        """Outputs (N, outputs, rows, columns) of images (N, C, H, W)."""
        rows, (n, down, across) = windows(x, weight, **geometry)
        groups = geometry["groups"]
        vectors = by_group(weight, groups)
        kinds = "activations", "weights"
        y = self.multiply("forward", rows, vectors.swapaxes(1, 2), kinds, tensors=(x, None))
        return y.transpose(1, 0, 2).reshape(n, down, across, -1).transpose(0, 3, 1, 2)

    def convolution_gradients(self, x, weight, dy, geometry):
        """Gradients of images and weights."""
        rows, (n, down, across) = windows(x, weight, **geometry)
        groups = geometry["groups"]
        vectors = by_group(weight, groups)
        dy = dy.transpose(0, 2, 3, 1).reshape(n * down * across, groups, -1).transpose(1, 0, 2)
        to_rows = self.multiply("to_inputs", dy, vectors, ("gradients", "weights"))
        dx = fold(to_rows, x.shape, weight, down, across, **geometry)
        dw = self.multiply("to_weights", rows.swapaxes(1, 2), dy, ("activations", "gradients"), tensors=(x, None))
        outputs, depth, kh, kw = weight.shape
        dw = dw.swapaxes(1, 2).reshape(outputs, kh, kw, depth).transpose(0, 3, 1, 2)
        return dx, dw


def by_group(weight, groups):
    outputs = weight.shape[0]
    return weight.transpose(0, 2, 3, 1).reshape(groups, outputs // groups, -1)


def windows(x, weight, *, stride, padding, dilation, groups):
    """One row per window, element by element: images, rows and columns; then kernel rows, kernel columns, channels."""
    n, channels, height, width = x.shape
    kh, kw = weight.shape[2:]
    down = (height + 2 * padding[0] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    across = (width + 2 * padding[1] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    depth = channels // groups
    rows = np.zeros((groups, n * down * across, kh * kw * depth), np.float32)
    for g, row, element, image, c, h, w in places(n, down, across, kh, kw, depth, groups, stride, padding, dilation):
        if 0 <= h < height and 0 <= w < width:
            rows[g, row, element] = x[image, c, h, w]
    return rows, (n, down, across)


def fold(rows, shape, weight, down, across, *, stride, padding, dilation, groups):
    """Sums in FP32 in the order of kernel rows and kernel columns."""
    n, channels, height, width = shape
    kh, kw = weight.shape[2:]
    found = np.zeros(shape, np.float32)
    depth = channels // groups
    order = sorted(
        places(n, down, across, kh, kw, depth, groups, stride, padding, dilation), key=lambda place: place[2] // depth
    )
    for g, row, element, image, c, h, w in order:
        if 0 <= h < height and 0 <= w < width:
            found[image, c, h, w] += rows[g, row, element]
    return found


def places(n, down, across, kh, kw, depth, groups, stride, padding, dilation):
    for g in range(groups):
        for image in range(n):
            for i in range(down):
                for j in range(across):
                    for p in range(kh):
                        for q in range(kw):
                            for c in range(depth):
                                row = (image * down + i) * across + j
                                h = i * stride[0] - padding[0] + p * dilation[0]
                                w = j * stride[1] - padding[1] + q * dilation[1]
                                yield g, row, (p * kw + q) * depth + c, image, g * depth + c, h, w
