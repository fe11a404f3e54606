"""Products of the array at several precisions, compared with the golden model word by word."""

from collections.abc import Iterable
from math import lcm

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.formats import Bfp
from lowtide_model import BfpTensor, matmul
from lowtide_sim.simulated_array import Product, SimulatedArray

__all__ = [
    "LARGE_PRECISIONS",
    "PRECISIONS",
    "SHAPE",
    "CheckedProduct",
    "Precision",
    "Total",
    "checked_products",
    "fitted",
    "multiply_large",
]


@attrs.frozen
class Precision:
    """Magnitude bits of both operands: A, the activations, and B, the weights."""

    a: int
    b: int

    def __str__(self) -> str:
        return f"{self.a}×{self.b}"

    def on(self, bfp: Bfp) -> "Precision":
        """Round up to whole chunks."""
        return Precision(-(-self.a // bfp.chunk_a) * bfp.chunk_a, -(-self.b // bfp.chunk_b) * bfp.chunk_b)


PRECISIONS = tuple(Precision(a, b) for a, b in ((8, 8), (6, 6), (4, 4), (4, 2), (2, 2)))


def fitted(config: Config, precisions: tuple[Precision, ...], k: int) -> tuple[Config, tuple[Precision, ...]]:
    """A configuration that supports these precisions and reductions of ``k``, and the precisions in whole chunks.

    Only ``bfp.mantissa`` and ``bfp.max_k`` are raised, if they are too small. Each precision is rounded up to whole
    chunks, without duplicates.
    """
    bfp = config.bfp
    taken = tuple(dict.fromkeys(precision.on(bfp) for precision in precisions))
    widest = max(bits for precision in taken for bits in (precision.a, precision.b))
    step = lcm(bfp.chunk_a, bfp.chunk_b)
    mantissa = max(bfp.mantissa, -(-widest // step) * step)
    return attrs.evolve(config, bfp=attrs.evolve(bfp, mantissa=mantissa, max_k=max(bfp.max_k, k))), taken


@attrs.frozen(kw_only=True, eq=False)
class CheckedProduct:
    """A product of the array, and its number of words, with padding, that equal the words of the golden model."""

    product: Product
    equal: int

    @property
    def words(self) -> int:
        """Number of compared words: all words from the array."""
        return self.product.words.size


@attrs.frozen(kw_only=True)
class Total:
    """Sums over several products, defined in `Tiling` and `Product`, and the number of elements of the array."""

    tiles: int
    beats: int
    cycles: int
    busy: int
    words: int
    equal: int
    elements: int

    @classmethod
    def of(cls, products: Iterable[CheckedProduct]) -> "Total":
        """Sum up products of one array."""
        products = list(products)
        array = products[0].product.tiling.config.array
        return cls(
            tiles=sum(checked.product.tiling.tiles for checked in products),
            beats=sum(checked.product.tiling.beats for checked in products),
            cycles=sum(checked.product.cycles for checked in products),
            busy=sum(checked.product.tiling.busy for checked in products),
            words=sum(checked.words for checked in products),
            equal=sum(checked.equal for checked in products),
            elements=array.rows * array.columns,
        )

    @property
    def beat_rate(self) -> float:
        """Mean beats per cycle."""
        return self.beats / self.cycles

    @property
    def utilization(self) -> float:
        """Share of element-cycles that contribute to a result; see `Product.utilization`."""
        return self.busy / (self.elements * self.cycles)


def checked_products(array: SimulatedArray, operands: Iterable[tuple[BfpTensor, BfpTensor]]) -> list[CheckedProduct]:
    """Multiply pairs of tensors on the array, and compare every word with the golden model."""
    operands = list(operands)
    return [
        CheckedProduct(
            product=product,
            equal=int(np.count_nonzero(product.words == product.tiling.padded(matmul(a, b, bfp=array.config.bfp)))),
        )
        for (a, b), product in zip(operands, array.products(operands), strict=True)
    ]


SHAPE = (256, 512, 256)
"""The large product, with which the array has long tiles."""
LARGE_PRECISIONS = (Precision(4, 4), Precision(2, 2))
SEED = 1


def multiply_large(array: SimulatedArray, precisions: tuple[Precision, ...]) -> dict[Precision, CheckedProduct]:
    """Multiply normally distributed matrices of 256 × 512 and 512 × 256, at each precision."""
    if not precisions:
        return {}
    M, K, N = SHAPE
    random = np.random.default_rng(SEED)
    a, b = random.standard_normal((M, K), np.float32), random.standard_normal((K, N), np.float32)
    operands = [
        (array.quantize(a, mantissa=precision.a, axis=1), array.quantize(b, mantissa=precision.b, axis=0))
        for precision in precisions
    ]
    return dict(zip(precisions, checked_products(array, operands), strict=True))
