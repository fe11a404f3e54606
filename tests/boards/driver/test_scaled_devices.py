"""The driver on a simulated device with scales per column and packed integers: every word is the golden engine's."""

import numpy as np
import pytest

from fixtures.devices import SMALL_DEVICE, connected, simulated
from lowtide.emission.serial import host_sections
from lowtide.formats.parameter import IllegalValue
from lowtide_boards.driver.self_test import self_test
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.terms import IntegerTensor, quantize_integers

CONFIG = SMALL_DEVICE.changed(
    {
        **{"array.element": "pmac", "terms.max_k": 64, "array.columns": 3, "engine.output_width": 3},
        **{"engine.column_scale": True, "engine.packed_results": True},
    }
)


@pytest.fixture(scope="module")
def scaled_line():
    """A simulated device."""
    return simulated(CONFIG)


@pytest.fixture
def device(scaled_line):
    """A connected driver, at four clock cycles per bit."""
    return connected(scaled_line)


def integers(rng, shape):
    return rng.integers(-128, 128, shape).astype(np.int8)


def test_the_driver_reads_the_configuration(device):
    assert host_sections(device.config) == host_sections(CONFIG)
    assert device.read("c_scale") == 0


def test_self_test(device):
    assert self_test(device, products=3) > 0


def test_scales_and_offsets_are_applied_on_the_device(device):
    rng = np.random.default_rng(1)
    a, b = integers(rng, (3, 40)), integers(rng, (40, 7))
    post = PostOperations(offset=rng.integers(-9999, 9999, 7), scale=rng.uniform(1e-4, 1e-3, 7).astype(np.float32))
    for results in (None, IntegerSettings(bias=-1), None):
        due = multiply(GoldenEngine(CONFIG), a, b, None, None, post=post, results=results)
        found = device.matmul(a, b, post=post, results=results)
        values = found.to_float() if isinstance(found, IntegerTensor) else found
        assert values.tobytes() == due.values.tobytes()


def test_a_quantized_network_stays_in_integers(device):
    """The tensor of the first product is operand A of the second; its integers fit a byte."""
    rng = np.random.default_rng(2)
    x, w, v = integers(rng, (2, 30)), integers(rng, (30, 8)), integers(rng, (8, 4))
    post = PostOperations(scale=np.full(8, 3e-4, np.float32), relu=True)
    hidden = device.matmul(x, w, post=post, results=IntegerSettings())
    exact = x.astype(np.int64) @ w * np.float64(np.float32(3e-4))
    assert hidden.integers.tolist() == np.clip(np.rint(np.maximum(exact, 0)), -127, 127).tolist()
    assert np.count_nonzero(hidden.integers) > 2
    assert device.matmul(hidden, v).tolist() == (hidden.integers @ v).tolist()


def test_scales_of_quantized_floats_are_applied_on_the_device(device):
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((2, 20)).astype(np.float32), rng.standard_normal((20, 4)) * [1e-3, 1, 30, 0]
    x, y = quantize_integers(a, 8), quantize_integers(b.astype(np.float32), 8, channel=1)
    scale = (x.scale * y.scale).astype(np.float32)[0]
    due = GoldenEngine(CONFIG).multiply(x.integers, y.integers, post=PostOperations(scale=scale)).values
    assert device.matmul(a, b).tobytes() == due.tobytes()
    assert device.read("c_scale") == 1
    packed = device.matmul(x, y, results=IntegerSettings(bias=-4))
    assert packed.integers.tolist() == np.clip(np.rint(due.astype(np.float64) * 16), -127, 127).tolist()
    # The host scales sums that it adds up itself, and what follows that the engine lacks.
    long = rng.standard_normal((2, 150)).astype(np.float32), rng.standard_normal((150, 3)).astype(np.float32)
    np.testing.assert_allclose(device.matmul(*long), long[0] @ long[1], atol=0.5)
    post = PostOperations(bias=np.ones(4, np.float32))
    np.testing.assert_allclose(device.matmul(a, b, post=post), due + 1, rtol=1e-5, atol=1e-5)


def test_wrong_arguments_are_refused_in_one_line(device):
    a, b = np.ones((2, 3), np.int8), np.ones((3, 2), np.int8)
    with pytest.raises(IllegalValue, match=r"^results must be of type IntegerSettings, not OperandSettings"):
        device.matmul(a, b, results=OperandSettings(bias=0))
    rows = IntegerTensor(integers=a.astype(np.int64), scale=np.array([[1.0], [2.0]]), width=8)
    with pytest.raises(
        ValueError, match=r"^the engine must apply the scales of a and b, for packed integers or scales"
    ):
        device.matmul(rows, b, results=IntegerSettings())
    with pytest.raises(IllegalValue, match=r"^c_bias must be from -160 to 128, not 129$"):
        device.write("c_bias", 129)
