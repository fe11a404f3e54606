"""The digits, the network's training, and what quantized inference does to it in the golden model."""

import numpy as np
import pytest

from lowtide_model import matmul, quantize, to_fp32
from lowtide_studies.networks.digits import Digits
from lowtide_studies.networks.network import accuracy, rectified
from lowtide_studies.networks.products import FP32
from lowtide_studies.workload.inference import WIDTHS, train
from lowtide_studies.workload.products import PRECISIONS


@pytest.fixture(scope="module")
def digits():
    return Digits.load()


@pytest.fixture(scope="module")
def network(digits):
    return train(digits.training)


def golden_accuracy(network, images, precision):
    """Accuracy with every product done by the golden model."""
    x = scores = images.pixels
    for layer in network.layers:
        a = quantize(x, mantissa=precision.a, axis=1)
        b = quantize(layer.weights, mantissa=precision.b, axis=0)
        scores = to_fp32(matmul(a, b), a, b).values + layer.bias
        x = rectified(scores)
    return accuracy(scores, images.labels)


def test_split_holds_every_image_once(digits):
    parts = [digits.training, digits.held_out]
    assert [len(part) for part in parts] == [1437, 360]
    assert [part.pixels.shape for part in parts] == [(1437, 64), (360, 64)]
    whole = np.concatenate([part.pixels for part in parts])
    assert whole.dtype == np.float32
    assert whole.min() == 0
    assert whole.max() == 1
    assert len(np.unique(whole, axis=0)) == 1797
    assert set(digits.held_out.labels) == set(range(10))


def test_first_images_are_the_first(digits):
    few = digits.held_out.first(8)
    np.testing.assert_array_equal(few.pixels, digits.held_out.pixels[:8])
    assert len(few) == 8


def test_network_has_its_shape(network):
    assert [layer.weights.shape for layer in network.layers] == [(64, 128), (128, 64), (64, 10)]
    assert WIDTHS == (64, 128, 64, 10)
    assert all(array.dtype == np.float32 for layer in network.layers for array in (layer.weights, layer.bias))


def test_network_recognizes_what_it_never_saw(network, digits):
    assert accuracy(network.scores(digits.held_out.pixels, FP32), digits.held_out.labels) >= 0.97


def test_training_is_repeatable_and_tells_its_progress(network, digits):
    epochs = []
    again = train(digits.training, lambda *done: epochs.append(done))
    for one, other in zip(network.layers, again.layers, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.bias, other.bias)
    assert epochs == [(i, 40) for i in range(1, 41)]


@pytest.mark.parametrize(
    ("precision", "loss"), list(zip(PRECISIONS, [0.005, 0.01, 0.015, 0.04, 0.06], strict=True)), ids=str
)
def test_few_bits_cost_little_accuracy(network, digits, precision, loss):
    fp32 = accuracy(network.scores(digits.held_out.pixels, FP32), digits.held_out.labels)
    assert golden_accuracy(network, digits.held_out, precision) >= fp32 - loss
