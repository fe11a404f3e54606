"""Gradients of the networks against finite differences, and convolutions against plain loops."""

import numpy as np
import pytest

from lowtide_studies.networks.arithmetic import Plain
from lowtide_studies.networks.network import NETWORKS, Convolution, cross_entropy, network
from lowtide_studies.networks.products import GradientRounding, Products

STEP = 1e-6


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_equal_finite_differences(name, random):
    """In float64 and without quantization: some weights and biases of every layer."""
    products = Products(Plain(), GradientRounding("nearest"))
    net = network(name, seed=5, dtype=np.float64)
    pixels, labels = random.random((6, 64)), random.integers(0, 10, 6)
    for layer in net.layers:
        layer.bias += random.standard_normal(layer.bias.shape) / 10
    loss, gradients = net.gradients(pixels, labels, products)
    assert loss == cross_entropy(net.scores(pixels, products), labels)[0]
    for layer, found in zip(net.layers, gradients, strict=True):
        for parameters, gradient in zip((layer.weights, layer.bias), found, strict=True):
            assert gradient.shape == parameters.shape
            assert gradient.any()
            for place in random.choice(parameters.size, 5, replace=False):
                index = np.unravel_index(place, parameters.shape)
                losses = []
                for step in (STEP, -2 * STEP):
                    parameters[index] += step
                    losses.append(cross_entropy(net.scores(pixels, products), labels)[0])
                parameters[index] += STEP
                assert gradient[index] == pytest.approx((losses[0] - losses[1]) / (2 * STEP), abs=1e-8, rel=1e-6)


def test_convolution_multiplies_every_window(random):
    x, weights = random.random((2, 5, 6, 3)), random.random((3, 2, 2, 4))
    window = Convolution(2)
    rows = window.unfold(x)
    outputs = window.outputs(rows @ weights.reshape(12, 4), x.shape)
    assert outputs.shape == (2, 4, 5, 4)
    for image, i, j, channel in np.ndindex(outputs.shape):
        expected = sum(
            x[image, i + di, j + dj, c] * weights[c, di, dj, channel] for c, di, dj in np.ndindex(weights.shape[:3])
        )
        assert outputs[image, i, j, channel] == pytest.approx(expected)


def test_fold_is_the_transpose_of_unfold(random):
    window, x = Convolution(3), random.random((2, 6, 5, 2))
    rows = window.unfold(x)
    others = random.random(rows.shape)
    assert np.vdot(rows, others) == pytest.approx(np.vdot(x, window.fold(others, x.shape)))


def test_cross_entropy_stands_large_scores():
    loss, gradient = cross_entropy(np.array([[1000.0, 0.0], [0.0, 1000.0]]), np.array([0, 0]))
    assert loss == 500
    np.testing.assert_array_equal(gradient, [[0, 0], [-0.5, 0.5]])
