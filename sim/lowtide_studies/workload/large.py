"""One large product of random data: the rate of the array with long tiles."""

import attrs
import numpy as np

from lowtide_sim.simulated_array import SimulatedArray
from lowtide_studies.workload.checked import CheckedProduct, Total, checked_products
from lowtide_studies.workload.precision import Precision

__all__ = ["LARGE_PRECISIONS", "SHAPE", "LargeProduct", "multiply_large"]

SHAPE = (256, 512, 256)
LARGE_PRECISIONS = (Precision(4, 4), Precision(2, 2))
SEED = 1


@attrs.frozen(kw_only=True, eq=False)
class LargeProduct:
    """The product at one precision.

    Parameters
    ----------
    precision : Precision
    checked : CheckedProduct
    """

    precision: Precision
    checked: CheckedProduct

    @property
    def total(self) -> Total:
        """Totals of the product."""
        return Total.of([self.checked])


def multiply_large(array: SimulatedArray, precisions: tuple[Precision, ...]) -> list[LargeProduct]:
    """Multiply normally distributed matrices of 256 × 512 and 512 × 256, at each precision."""
    M, K, N = SHAPE
    random = np.random.default_rng(SEED)
    a, b = random.standard_normal((M, K), np.float32), random.standard_normal((K, N), np.float32)
    operands = [
        (array.quantize(a, mantissa=precision.a, axis=1), array.quantize(b, mantissa=precision.b, axis=0))
        for precision in precisions
    ]
    return [
        LargeProduct(precision=precision, checked=checked)
        for precision, checked in zip(precisions, checked_products(array, operands), strict=True)
    ]
