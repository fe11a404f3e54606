"""Slow reference of the layers: windows by loops, every product by the golden engine's panels.

Written from docs/reference/network_numerics.md, without the code of `lowtide_onnx`.
"""

import itertools

import numpy as np

from lowtide.config import Config
from lowtide.engine.seeds import operand_seed, panel_seed
from lowtide_model import default_bias
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply

__all__ = ["Products"]


class Products:
    """Products of a layer with one precision and rounding."""

    def __init__(self, config: Config, bits: int = 4, rounding: str = "nearest", seed: int = 0, layer: int = 0):
        self.config, self.bits, self.rounding, self.seed, self.layer = config, bits, rounding, seed, layer
        self.engine = GoldenEngine(config)

    def multiply(self, a, b, *, tensors=(None, None), site=0):
        """Products of matrices (count, M, K) and (count, K, N), whose biases follow from whole tensors."""
        bfp, width = self.config.bfp, self.config.engine.lfsr_bits
        word = np.random.SeedSequence((self.seed, 0, self.layer, site, 0, 0)).generate_state(1, np.uint64)[0]
        found = []
        for number, pair in enumerate(zip(a, b, strict=True)):
            settings = []
            for side, x, tensor, chunk in zip("ab", (a, b), tensors, (bfp.chunk_a, bfp.chunk_b), strict=True):
                state = operand_seed(int(word), side, width)
                bias = default_bias(x if tensor is None else tensor, exponent=bfp.exponent)
                settings.append(
                    OperandSettings(
                        chunks=self.bits // chunk,
                        rounding=self.rounding,
                        seed=panel_seed(state, side, number, width),
                        bias=bias,
                    )
                )
            left, right = np.ascontiguousarray(pair[0]), np.ascontiguousarray(pair[1].T).T
            found.append(multiply(self.engine, left, right, *settings).values)
        return np.stack(found)

    def convolution(self, x, weights, bias=None, *, strides, dilations, pads, groups=1):
        """Convolution of images of any number of dimensions; pads are (before, after) of each dimension."""
        images, _, *sizes = x.shape
        outputs, depth, *kernel = weights.shape
        counts = [
            (size + sum(pad) - dilation * (taps - 1) - 1) // stride + 1
            for size, pad, dilation, taps, stride in zip(sizes, pads, dilations, kernel, strides, strict=True)
        ]
        each = outputs // groups
        a = np.zeros((groups, images * int(np.prod(counts)), int(np.prod(kernel)) * depth), np.float32)
        b = np.zeros((groups, a.shape[2], each), np.float32)
        for group in range(groups):
            for row, (image, *place) in enumerate(itertools.product(range(images), *map(range, counts))):
                for element, (*tap, channel) in enumerate(itertools.product(*map(range, kernel), range(depth))):
                    where = [
                        at * stride + step * dilation - pad[0]
                        for at, stride, step, dilation, pad in zip(place, strides, tap, dilations, pads, strict=True)
                    ]
                    if all(0 <= at < size for at, size in zip(where, sizes, strict=True)):
                        a[group, row, element] = x[(image, group * depth + channel, *where)]
            for element, (*tap, channel) in enumerate(itertools.product(*map(range, kernel), range(depth))):
                b[group, element] = weights[(slice(group * each, (group + 1) * each), channel, *tap)]
        product = self.multiply(a, b, tensors=(x, weights))
        y = np.zeros((images, outputs, *counts), np.float32)
        for row, (image, *place) in enumerate(itertools.product(range(images), *map(range, counts))):
            y[(image, slice(None), *place)] = product[:, row].reshape(-1)
        return y if bias is None else y + bias.reshape(1, -1, *[1] * len(sizes))
