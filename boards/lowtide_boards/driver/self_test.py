"""Self-test: products on a device, compared with the golden engine."""

from collections.abc import Callable

import numpy as np

from lowtide_boards.driver.device import Device
from lowtide_boards.driver.errors import DeviceError
from lowtide_model import default_bias
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings

__all__ = ["WrongResult", "self_test"]


class WrongResult(DeviceError):
    """A product of the device differs from the golden engine's product."""


def self_test(
    device: Device, products: int = 8, seed: int = 1, progress: Callable[[int], object] = lambda _: None
) -> int:
    """Compare random products of all precisions and roundings with the golden engine.

    Parameters
    ----------
    device : Device
        Device under test.
    products : int
        Number of products.
    seed : int
        Seed of operands and settings.
    progress : callable
        Called with the number of finished products.

    Returns
    -------
    int
        Number of words compared, all of them equal.

    Raises
    ------
    WrongResult
        If a word or an event counter differs.
    DeviceError
        If the connection to the device is lost.
    """
    rng, golden, words = np.random.default_rng(seed), GoldenEngine(device.config), 0
    array, bfp = device.config.array, device.config.bfp
    for n in range(products):
        m, k, columns = (
            int(rng.integers(1, most + 1))
            for most in (2 * array.rows, min(bfp.max_k, 3 * bfp.lanes), 2 * array.columns)
        )
        a, b = (
            (rng.standard_normal(shape) * np.exp2(rng.integers(-6, 2, (shape[0], 1)))).astype(np.float32)
            for shape in ((m, k), (k, columns))
        )
        a_settings, b_settings = (
            OperandSettings(
                chunks=int(rng.integers(1, bfp.mantissa // chunk + 1)),
                rounding=str(rng.choice(["truncate", "nearest", "stochastic"])),
                seed=int(rng.integers(1, 2**device.config.engine.lfsr_bits)),
                bias=default_bias(x, exponent=bfp.exponent),
            )
            for x, chunk in ((a, bfp.chunk_a), (b, bfp.chunk_b))
        )
        found, expected = device.multiply(a, b, a_settings, b_settings), golden.multiply(a, b, a_settings, b_settings)
        wrong = np.count_nonzero(found.values.view(np.uint32) != expected.values.view(np.uint32))
        if wrong or found.events != expected.events:
            raise WrongResult(
                f"{device.name}: {wrong} of {expected.values.size} results of product {n} are wrong, shape"
                f" {m} × {k} × {columns}, seed {seed}"
            )
        words += expected.values.size
        progress(n + 1)
    return words
