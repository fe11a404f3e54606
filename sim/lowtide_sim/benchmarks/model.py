"""Speed of the golden model, against NumPy's own matrix product."""

import statistics
import time
from collections.abc import Callable

import attrs
import numpy as np

from lowtide_model.converter import quantize
from lowtide_model.product import matmul

__all__ = ["Speed", "measure"]


@attrs.frozen(kw_only=True)
class Speed:
    """Median times of one run.

    Parameters
    ----------
    golden : float
        Seconds for a golden matrix product, with the quantization of both FP32 operands.
    float64 : float
        Seconds for NumPy's float64 matrix product of the same size.
    """

    golden: float
    float64: float

    @property
    def ratio(self) -> float:
        """How many times as long the golden product takes."""
        return self.golden / self.float64


def measure(
    *,
    size: int = 1024,
    mantissa: int = 4,
    exponent: int = 3,
    group: int = 16,
    every_code: bool = False,
    repeats: int = 15,
) -> Speed:
    """Time square golden products of normally distributed data.

    Parameters
    ----------
    size : int
        Rows, columns and reduction of the product.
    mantissa, exponent, group : int
        Format of both operands.
    every_code : bool
        Scale groups so that they use all exponent codes, evenly. Real tensors use few; then the product may be exact
        in float32, which takes half the time.
    repeats : int
        Products of either kind, in turn, of which the medians are taken.

    Returns
    -------
    Speed
        In seconds.
    """
    random = np.random.default_rng(1)
    a, b = random.standard_normal((2, size, size), np.float32)
    if every_code:
        a *= np.repeat(_scales(random, size, size // group, exponent), group, axis=1)
        b *= np.repeat(_scales(random, size // group, size, exponent), group, axis=0)
    a64, b64 = a.astype(np.float64), b.astype(np.float64)

    def golden() -> None:
        left = quantize(a, mantissa=mantissa, exponent=exponent, group=group, axis=1)
        right = quantize(b, mantissa=mantissa, exponent=exponent, group=group, axis=0)
        matmul(left, right)

    times = [(_seconds(golden), _seconds(lambda: a64 @ b64)) for _ in range(repeats + 1)]
    golden_times, float64_times = zip(*times[1:], strict=True)  # the first of either warms up
    return Speed(golden=statistics.median(golden_times), float64=statistics.median(float64_times))


def _scales(random: np.random.Generator, rows: int, columns: int, exponent: int) -> np.ndarray:
    return np.exp2(random.integers(0, 2**exponent, (rows, columns))).astype(np.float32)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
