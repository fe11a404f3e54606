"""Products on the simulated array, compared with the golden model."""

import shutil

import numpy as np
import pytest

from lowtide.array.params import ArrayParams
from lowtide.config import Config
from lowtide.formats import Bfp
from lowtide_model import matmul, quantize
from lowtide_model.tiling import Tiling
from lowtide_sim.simulated_array import Product, SimulatedArray

WIDE = Config(array=ArrayParams(rows=1, columns=2), bfp=Bfp(lanes=4, mantissa=8, exponent=5, max_k=64))


@pytest.fixture(params=["icarus", pytest.param("verilator", marks=pytest.mark.slow)])
def simulator(request):
    if request.param == "icarus" and shutil.which("iverilog") is None:
        pytest.skip("Icarus is not installed")
    return request.param


def operands(config, M, K, N, ma, mb, group=None):
    random = np.random.default_rng([M, K, N])
    group = group or config.bfp.lanes
    scales = np.exp2(random.integers(-9, 9, (M, K)))
    return (
        quantize(random.standard_normal((M, K)) * scales, mantissa=ma, exponent=config.bfp.exponent, group=group),
        quantize(random.standard_normal((K, N)), mantissa=mb, exponent=config.bfp.exponent, group=group, axis=0),
    )


@pytest.mark.parametrize("config", [Config.load("tiny"), WIDE], ids=["tiny", "more than 64 bits"])
def test_words_equal_the_golden_model(config, simulator, tmp_path):
    """Consecutive products with one or many beats per tile, smaller than a tile or no multiple of a tile."""
    m = config.bfp.mantissa
    pairs = [
        operands(config, 1, 1, 1, 2, 2),
        operands(config, 5, 9, 4, m, 2),
        operands(config, 4, 24, 7, 2, m, group=8),
        operands(config, 3, 17, 3, m, m),
    ]
    seen = []
    array = SimulatedArray(config, folder=tmp_path, simulator=simulator, progress=lambda *beats: seen.append(beats))
    products = array.products(pairs)
    for (a, b), product in zip(pairs, products, strict=True):
        expected = matmul(a, b, bfp=config.bfp)
        np.testing.assert_array_equal(product.acc, expected)
        np.testing.assert_array_equal(product.words, product.tiling.padded(expected))
        assert product.cycles >= product.tiling.beats
    assert array.cycles == sum(product.cycles for product in products)
    beats = sum(product.tiling.beats for product in products)
    assert seen[-1] == (beats, beats)


def test_utilization_counts_requested_results():
    a, b = operands(Config.load("tiny"), 3, 8, 4, 4, 4)
    tiling = Tiling(a=a, b=b, config=Config.load("tiny"))
    product = Product(tiling=tiling, words=np.zeros((4, 6), np.int64), cycles=100)
    assert tiling.beats == 2 * 2 * (2 * 2 * 2)
    assert product.beat_rate == 32 / 100
    assert product.utilization == 3 * 4 * 8 / (2 * 3 * 100)


@pytest.mark.slow
def test_long_tiles_keep_the_default_array_busy(tmp_path):
    """256 × 512 × 256 at 4 × 4 bits: only one cycle per tile is idle."""
    config = Config.load("default")
    a, b = operands(config, 256, 512, 256, 4, 4)
    product = SimulatedArray(config, folder=tmp_path).matmul(a, b)
    np.testing.assert_array_equal(product.acc, matmul(a, b))
    assert product.cycles < 1024 * 129 + 64
    assert product.utilization > 0.99
