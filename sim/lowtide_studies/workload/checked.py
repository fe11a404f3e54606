"""Products of the array, compared with the golden model word by word."""

from collections.abc import Iterable

import attrs
import numpy as np

from lowtide_model import BfpTensor, matmul
from lowtide_sim.simulated_array import Product, SimulatedArray

__all__ = ["CheckedProduct", "Total", "checked_products"]


@attrs.frozen(kw_only=True, eq=False)
class CheckedProduct:
    """A product, and its number of correct words.

    Parameters
    ----------
    product : Product
        Product of the array.
    equal : int
        Words, with padding, that equal the words of the golden model.
    """

    product: Product
    equal: int

    @property
    def words(self) -> int:
        """Number of compared words: all words from the array."""
        return self.product.words.size


@attrs.frozen(kw_only=True)
class Total:
    """Totals of several products.

    Parameters
    ----------
    tiles, beats, cycles, busy, words, equal : int
        Sums over the products, defined in `Tiling` and `Product`.
    elements : int
        Processing elements of the array.
    """

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
