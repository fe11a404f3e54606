"""Self-test: products on a device, compared with the golden engine."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lowtide.config import Config
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.errors import DeviceError
from lowtide_model import default_bias
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.reveal import Reveal

__all__ = ["WrongResult", "self_test"]


class WrongResult(DeviceError):
    """A product of the device differs from the golden engine's product."""


def self_test(
    device: Device, products: int = 8, seed: int = 1, progress: Callable[[int], object] = lambda _: None
) -> int:
    """Compare random products with the golden engine: all precisions and roundings, or all settings of integers.

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
    random_product = _bfp_product if device.config.array.element == "fmac" else _integer_product
    for n in range(products):
        product = random_product(rng, device.config)
        found, expected = device.multiply(**product), golden.multiply(**product)
        words_of = np.uint32 if found.tensor is None else np.uint64
        wrong = np.count_nonzero(found.values.view(words_of) != expected.values.view(words_of))
        if wrong or found.events != expected.events:
            m, k, columns = *product["a"].shape, product["b"].shape[1]
            raise WrongResult(
                f"{device.name}: {wrong} of {expected.values.size} results of product {n} are wrong, shape"
                f" {m} × {k} × {columns}, seed {seed}"
            )
        words += expected.values.size
        progress(n + 1)
    return words


def _shape(rng: np.random.Generator, config: Config, longest: int) -> tuple[int, int, int]:
    """M, K and N of a product of up to two tiles each way."""
    most = 2 * config.array.rows, min(config.max_k, longest), 2 * config.array.columns
    m, k, n = (int(rng.integers(1, size + 1)) for size in most)
    return m, k, n


def _bfp_product(rng: np.random.Generator, config: Config) -> dict[str, Any]:
    """A product in block floating point, of any precision and rounding."""
    bfp = config.bfp
    m, k, columns = _shape(rng, config, 3 * bfp.lanes)
    a, b = (
        (rng.standard_normal(shape) * np.exp2(rng.integers(-6, 2, (shape[0], 1)))).astype(np.float32)
        for shape in ((m, k), (k, columns))
    )
    a_settings, b_settings = (
        OperandSettings(
            chunks=int(rng.integers(1, bfp.mantissa // chunk + 1)),
            rounding=str(rng.choice(["truncate", "nearest", "stochastic"])),
            seed=int(rng.integers(1, 2**config.engine.lfsr_bits)),
            bias=default_bias(x, exponent=bfp.exponent),
        )
        for x, chunk in ((a, bfp.chunk_a), (b, bfp.chunk_b))
    )
    return {"a": a, "b": b, "a_settings": a_settings, "b_settings": b_settings}


def _integer_product(rng: np.random.Generator, config: Config) -> dict[str, Any]:
    """A product of integers, with any settings of term revealing, or none, and any scales and packed integers."""
    terms, most = config.terms, 2 ** (config.terms.width - 1)
    m, k, columns = _shape(rng, config, 3 * terms.group)
    a, b = (rng.integers(-most, most, shape) for shape in ((m, k), (k, columns)))
    a_settings, b_settings = (IntegerSettings(bias=int(bias)) for bias in rng.integers(-16, 9, 2))
    reveal = None
    if config.array.element == "tmac" and rng.integers(4):
        reveal = Reveal(
            group=terms.values * int(rng.integers(1, terms.group // terms.values + 1)),
            budget=int(rng.integers(terms.budget + 1)),
            data_terms=int(rng.integers(terms.data_terms + 1)),
        )
    post = None
    if config.engine.column_scale and rng.integers(3):
        scale = (rng.uniform(1, 2, columns) * np.exp2(rng.integers(-16, 1, columns))).astype(np.float32)
        post = PostOperations(offset=rng.integers(-most, most, columns), scale=scale)
    packs = config.engine.packed_results and rng.integers(3)
    results = IntegerSettings(bias=int(rng.integers(-8, 9))) if packs else None
    product = {"a": a, "b": b, "a_settings": a_settings, "b_settings": b_settings, "reveal": reveal}
    return product | {"post": post, "results": results}
