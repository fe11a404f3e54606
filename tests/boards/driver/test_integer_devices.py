"""The driver on simulated devices of integers: every word equals the golden engine's, and errors are one line."""

import attrs
import numpy as np
import pytest

from fixtures.devices import SMALL_DEVICE, connected, simulated
from lowtide.emission.serial import host_sections
from lowtide.formats.parameter import IllegalValue
from lowtide_boards.driver.arguments import operand
from lowtide_boards.driver.self_test import self_test
from lowtide_model import quantize
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.reveal import Reveal
from lowtide_model.terms import quantize_integers

TERMS = {"array.element": "tmac", "array.operands": "integers", "terms.max_k": 64}
SUMS = {"engine.sum_rows": 3, "engine.sum_columns": 5, "engine.sum_max_k": 200}
CONFIGS = {
    "terms": SMALL_DEVICE.changed({**TERMS, **SUMS, "engine.post_operations": True, "terms.encoding": "binary"}),
    "integers": SMALL_DEVICE.changed({"array.element": "pmac", "terms.max_k": 64}),
}


@pytest.fixture(scope="module")
def lines():
    """Simulated devices."""
    return {name: simulated(config) for name, config in CONFIGS.items()}


@pytest.fixture(params=CONFIGS)
def device(lines, request):
    """A connected driver of each device, at four clock cycles per bit."""
    return connected(lines[request.param])


@pytest.fixture
def terms(lines):
    """A connected driver of the device for terms."""
    return connected(lines["terms"])


def integers(rng, shape):
    return rng.integers(-128, 128, shape).astype(np.int8)


def test_the_driver_reads_the_configuration(lines, device):
    due = next(config for config in CONFIGS.values() if config.array.element == device.config.array.element)
    assert host_sections(device.config) == host_sections(due)
    assert device.info().config["terms"] == due.to_tables()["terms"]
    assert sorted(device.info().config) == ["array", "engine", "terms"]


def test_self_test(device):
    assert self_test(device, products=4) > 0


def test_integers_are_multiplied_as_they_are(device):
    rng = np.random.default_rng(1)
    for m, k, n in ((1, 1, 1), (3, 30, 5), (2, 150, 3)):
        a, b = integers(rng, (m, k)), integers(rng, (k, n))
        assert device.matmul(a, b).tobytes() == multiply(GoldenEngine(device.config), a, b, None, None).values.tobytes()


@pytest.mark.parametrize("reveal", [Reveal(group=8, budget=14, data_terms=3), Reveal(group=3, budget=4, data_terms=1)])
def test_terms_are_revealed_per_product(terms, reveal):
    rng = np.random.default_rng(2)
    a, b = integers(rng, (3, 40)), integers(rng, (40, 5))
    for settings in (reveal, None, reveal):
        due = multiply(GoldenEngine(terms.config), a, b, None, None, reveal=settings).values
        assert terms.matmul(a, b, reveal=settings).tobytes() == due.tobytes()
    assert terms.read("terms_budget") == reveal.budget


def test_floats_are_quantized_and_scaled_on_the_host(device):
    """A with one scale, B with a scale per column; what follows the product follows the scales."""
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((3, 20)).astype(np.float32), rng.standard_normal((20, 4)) * [1e-3, 1, 30, 0]
    x, y = quantize_integers(a, 8), quantize_integers(b.astype(np.float32), 8, channel=1)
    sums = multiply(GoldenEngine(device.config), x.integers, y.integers, None, None).values
    due = (sums.astype(np.float64) * (x.scale * y.scale)).astype(np.float32)
    post = PostOperations(bias=np.ones(4, np.float32), relu=True)
    assert device.matmul(a, b).tobytes() == due.tobytes()
    assert device.matmul(x, y).tobytes() == due.tobytes()
    assert device.matmul(a, b, post=post).tobytes() == post.applied(due).tobytes()
    # Each integer is wrong by at most half, and zeros have scale 1.
    bound = x.scale * np.abs(b).sum(axis=0) + y.scale * np.abs(a).sum(axis=1, keepdims=True) + x.scale * y.scale * 20
    assert (np.abs(due - a.astype(np.float64) @ b) <= 0.51 * bound).all()


def test_wrong_arguments_are_refused_in_one_line(device):
    a, b = np.ones((2, 3), np.int8), np.ones((3, 2), np.int8)
    element = device.config.array.element
    for settings, message in (
        ({"precision": 4}, f"precision must be None for an engine with array.element = {element}, not 4"),
        ({"seed": 2}, f"seed must be 1 for an engine with array.element = {element}, not 2"),
        (
            {"rounding": "stochastic"},
            f"rounding must be nearest for an engine with array.element = {element}, not 's",
        ),
    ):
        with pytest.raises(IllegalValue) as caught:
            device.matmul(a, b, **settings)
        assert str(caught.value).startswith(message)
    with pytest.raises(ValueError, match=r"^the scale of b must not vary along K, and has the shape \(3, 1\)$"):
        device.matmul(a, attrs.evolve(quantize_integers(b, 8), scale=np.ones((3, 1))))
    with pytest.raises(ValueError, match=r"^b must be a matrix of integers, not of type BfpTensor$"):
        device.multiply(a, quantize(np.ones((3, 2), np.float32), mantissa=4, axis=0))
    legal = "from 1 to 8" if element == "tmac" else "None for an engine with array.element = pmac"
    with pytest.raises(ValueError, match=rf"^reveal(\.group)? must be {legal}"):
        device.matmul(a, b, reveal=Reveal(group=9))


def test_device_of_bfp_refuses_integers_with_scales():
    with pytest.raises(
        IllegalValue, match=r"^b must be an array or a BfpTensor for an engine with array\.element = fmac, n"
    ):
        operand(SMALL_DEVICE, "b", quantize_integers(np.ones((2, 2)), 8), None, "nearest", 1)


def test_illegal_registers_are_refused_and_the_next_product_is_right(terms):
    for name, value in (("terms_group", 0), ("terms_budget", 17), ("a_bias", 129)):
        with pytest.raises(IllegalValue, match=rf"^{name} must be from "):
            terms.write(name, value)
    terms.write("start", 7)  # only find the biases
    assert terms.read("errors") == 1
    a, b = np.ones((2, 3), np.int8), np.ones((3, 2), np.int8)
    assert (terms.matmul(a, b) == 3).all()
