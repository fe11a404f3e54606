"""What follows a product, on a simulated device: through the serial line, with addends longer than its queues."""

import numpy as np
import pytest

from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import PostOperations


def matrix(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(3, 5, 4), pytest.param((30, 4, 16), marks=pytest.mark.slow)])
def test_products_equal_the_golden_engine(results_device, shape, packed):
    """The larger product has 496 addends for a queue of 256 words."""
    rng, (m, k, n) = np.random.default_rng(1), shape
    a, b = matrix(rng, m, k), matrix(rng, k, n)
    post = PostOperations(bias=matrix(rng, n), relu=True, residual=matrix(rng, m, n), final_relu=bool(m % 2))
    results = OperandSettings(chunks=2, rounding="stochastic", seed=77, bias=-4) if packed else None
    settings = OperandSettings(chunks=2, bias=-6), OperandSettings(chunks=2, bias=-5)
    product, due = (
        engine.multiply(a, b, *settings, post=post, results=results)
        for engine in (results_device, GoldenEngine(results_device.config))
    )
    assert product.values.tobytes() == due.values.tobytes()
    assert product.events == due.events


def test_a_product_without_anything_to_follow(results_device):
    rng = np.random.default_rng(2)
    a, b = matrix(rng, 4, 6), matrix(rng, 6, 5)
    settings = OperandSettings(bias=-6), OperandSettings(bias=-6)
    due = GoldenEngine(results_device.config).multiply(a, b, *settings)
    assert results_device.multiply(a, b, *settings).values.tobytes() == due.values.tobytes()


def test_matmul_in_two_layers(results_device):
    """The packed results of the first layer are the operand of the second."""
    rng = np.random.default_rng(3)
    x, w, v = matrix(rng, 5, 12), matrix(rng, 12, 9), matrix(rng, 9, 3)
    hidden = results_device.matmul(x, w, post=PostOperations(relu=True), results=OperandSettings(chunks=2, bias=-4))
    assert (hidden.shape, hidden.axis) == ((5, 9), 1)
    assert (hidden.signed >= 0).all()
    y = results_device.matmul(hidden, v)
    exact = hidden.to_float() @ v
    assert np.abs(y - exact).max() < 0.2 * np.abs(exact).max()


def test_the_driver_recognizes_the_features(results_device):
    engine = results_device.config.engine
    assert (engine.post_operations, engine.packed_results, engine.sum_rows) == (True, True, 3)
