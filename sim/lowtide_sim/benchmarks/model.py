"""Speed of the golden model: products, against NumPy's own matrix product, and conversions."""

import statistics
import time
from collections.abc import Callable

import attrs
import numpy as np

from lowtide.config import Config
from lowtide_model.converter import quantize
from lowtide_model.fp32 import scaled_to_fp32
from lowtide_model.improvement import improvement_of
from lowtide_model.product import matmul
from lowtide_model.stochastic import Ideal, Stochastic, reference

__all__ = ["CONVERSIONS", "Speed", "measure", "measure_conversion"]

LANES = 16


def _engine_rounding() -> Stochastic:
    """Stochastic rounding of the engine of the default preset."""
    return Stochastic(mode="half_step", source=Config().engine.source(LANES))


ROUNDINGS = {
    "truncate": lambda: "truncate",
    "nearest, ties away": lambda: "nearest",
    "nearest, ties to even": lambda: "nearest_even",
    "stochastic, the engine's words": _engine_rounding,
    "stochastic, 24-bit words": lambda: reference(LANES),
    "stochastic, ideal": lambda: Ideal(np.random.default_rng(1)),
}

CONVERSIONS = (*ROUNDINGS, "relative improvement", "accumulators to FP32")
"""Conversions that `measure_conversion` times."""


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


def measure_conversion(name: str, *, size: int = 1024, axis: int = -1, repeats: int = 15) -> float:
    """Million elements that one core converts per second.

    Parameters
    ----------
    name : str
        Conversion, one of `CONVERSIONS`: a rounding of FP32 to 4 bits in groups of 16, the relative improvement of such
        a tensor, or the conversion of accumulators.
    size : int
        Rows and columns of the matrix.
    axis : int
        Axis of the groups.
    repeats : int
        Conversions, of which the median time is taken.
    """
    random = np.random.default_rng(1)
    x = random.standard_normal((size, size), np.float32)
    acc = random.integers(-(2**31), 2**31, (size, size))

    def convert() -> None:
        if name == "accumulators to FP32":
            scaled_to_fp32(acc, -20)
        elif name == "relative improvement":
            improvement_of(x, chunk=2, exponent=3, group=LANES, axis=axis)
        else:
            quantize(x, mantissa=4, exponent=3, group=LANES, axis=axis, rounding=ROUNDINGS[name]())

    times = [_processor_seconds(convert) for _ in range(repeats + 1)][1:]
    return size * size / statistics.median(times) / 1e6


def _scales(random: np.random.Generator, rows: int, columns: int, exponent: int) -> np.ndarray:
    return np.exp2(random.integers(0, 2**exponent, (rows, columns))).astype(np.float32)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _processor_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
