"""Quantized and revealed networks against the golden products, and pairs against counts one by one."""

import numpy as np
import pytest

from lowtide_model.terms import digits_of, quantize_integers, term_matmul
from lowtide_studies.networks.digits import Digits
from lowtide_studies.networks.network import network
from lowtide_studies.term_revealing.quantized import SCHEDULES, VALIDATION, pretrained, quantized
from lowtide_studies.term_revealing.revealed import (
    OperandDigits,
    Setting,
    pairs_at_most,
    pairs_present,
    plain_pairs,
    reveal,
    settings,
)

SETTINGS = [
    Setting(encoding="hese", group=8, budget=10, data_terms=2),
    Setting(encoding="booth", group=5, budget=6, data_terms=3),
    Setting(encoding="binary", group=32, budget=64, data_terms=1),
]


@pytest.fixture(scope="module")
def pixels():
    return Digits.load().held_out.pixels[:6]


def made(name, width=8, by_channel=False, images=None):
    """A network with random weights and biases, quantized with scales of some images."""
    floating = network(name, 1)
    for layer in floating.layers:
        layer.bias += np.random.default_rng(2).standard_normal(layer.bias.shape).astype(np.float32)
    return floating, quantized(
        floating, Digits.load().training.pixels[:50] if images is None else images, width, by_channel
    )


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize(("name", "width"), [("perceptron", 8), ("convolution", 8), ("convolution", 6)])
def test_layers_are_golden_products(name, width, setting, pixels):
    _, net = made(name, width)
    scores, seen = net.run(pixels, reveal(net, setting).operands)
    outputs = None
    for layer, integers in zip(net.layers, seen, strict=True):
        if outputs is not None:
            x = np.maximum(outputs, 0) / layer.input_scale
            np.testing.assert_array_equal(integers, np.clip(np.rint(x), 0, 2 ** (width - 1) - 1))
        sums = term_matmul(
            layer.window.unfold(integers)[:, layer.order],
            layer.weights.integers[layer.order],
            width=width,
            group=setting.group,
            budget=setting.budget,
            data_terms=setting.data_terms,
            encoding=setting.encoding,
        )
        outputs = sums * (layer.weights.scale * layer.input_scale) + layer.bias
        outputs = layer.window.outputs(outputs, integers.shape)
    np.testing.assert_array_equal(scores, outputs)


@pytest.mark.parametrize("by_channel", [False, True])
@pytest.mark.parametrize("name", SCHEDULES)
def test_sixteen_bits_are_nearly_floating_point(name, by_channel, pixels):
    floating, net = made(name, 16, by_channel, pixels)
    x = pixels.reshape(-1, *floating.image)
    for layer in floating.layers:
        x = np.maximum(x, 0) if layer is not floating.layers[0] else x
        x = layer.window.outputs(layer.window.unfold(x) @ layer.weights + layer.bias, x.shape)
    np.testing.assert_allclose(net.run(pixels, net.plain)[0], x, atol=2e-3 * np.abs(x).max())


def test_all_terms_change_nothing(pixels):
    _, net = made("convolution")
    everything = reveal(net, Setting(encoding="booth", group=4, budget=16, data_terms=4))
    for weights, left in zip(net.plain.weights, everything.operands.weights, strict=True):
        np.testing.assert_array_equal(weights, left)
    np.testing.assert_array_equal(everything.operands.data, net.plain.data)


def test_groups_lie_along_the_input_channels():
    _, net = made("convolution")
    layer = net.layers[1]
    rows = layer.window.unfold(np.arange(3 * 3 * 8).reshape(1, 3, 3, 8))
    # A row holds every element of the window; in the order of groups it has the image's order, channels last.
    np.testing.assert_array_equal(rows[0, layer.order], np.arange(72))


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_pairs_are_those_of_every_product(name, setting, pixels):
    _, net = made(name)
    kept = reveal(net, setting)
    _, seen = net.run(pixels, kept.operands)
    pairs = products = most = 0
    for layer, integers, weights in zip(net.layers, seen, kept.weights, strict=True):
        rows = layer.window.unfold(np.count_nonzero(kept.data, axis=-1)[integers + 128])
        terms = np.count_nonzero(weights, axis=-1)
        pairs += int((rows[:, :, np.newaxis] * terms).sum())
        products += rows.size * terms.shape[1]
        groups = -(-len(terms) // setting.group)
        most += len(rows) * terms.shape[1] * groups * setting.budget * setting.data_terms
    assert pairs_present(net, seen, kept) == pytest.approx(pairs / products)
    assert pairs_at_most(net, seen, setting) == pytest.approx(most / products)
    assert pairs <= most


def test_whole_groups_are_bounded_by_the_setting(pixels):
    _, net = made("perceptron")
    setting = SETTINGS[0]
    assert pairs_at_most(net, net.run(pixels, net.plain)[1], setting) == pytest.approx(setting.bound) == 2.5


def test_plain_pairs():
    assert [plain_pairs(width) for width in (8, 6)] == [49, 25]


def test_sums_are_exact_in_the_type_of_operands():
    # 256 products of at most 2**14 are 2**22; at 16 bits they are 2**38.
    assert [made("convolution", width)[1].dtype for width in (8, 16)] == [np.float32, np.float64]


def test_plain_operands_have_all_their_terms():
    _, net = made("perceptron")
    digits = OperandDigits.of(net, "hese")
    np.testing.assert_array_equal(digits.operands.weights[0], net.plain.weights[0])
    np.testing.assert_array_equal(digits.data, digits_of(np.arange(-128, 128), 8))


def test_scales_of_channels_are_their_own():
    floating, net = made("perceptron", by_channel=True)
    expected = quantize_integers(floating.layers[0].weights, 8, channel=1)
    np.testing.assert_array_equal(net.layers[0].weights.scale, expected.scale)
    assert expected.scale.shape == (1, 64)


def test_settings_are_whole_budgets_and_their_weights_come_together():
    found = list(settings(("hese",), (1, 4), (0.25, 1.5, 2), (1, 2)))
    assert [(s.group, s.budget, s.data_terms) for s in found] == [
        (1, 2, 1), (1, 2, 2), (4, 1, 1), (4, 1, 2), (4, 6, 1), (4, 6, 2), (4, 8, 1), (4, 8, 2),
    ]  # fmt: skip
    assert (found[4].cycles, found[5].bound) == (1.5, 3)


def test_images_of_each_part_are_disjoint():
    trained = pretrained("perceptron", 0)
    parts = [{image.tobytes() for image in part.pixels} for part in (trained.validation, trained.held_out)]
    learned = {image.tobytes() for image in trained.learned.pixels}
    assert [len(part) for part in (trained.learned, trained.validation, trained.held_out)] == [1150, VALIDATION, 360]
    assert not parts[0] & parts[1]
    assert not learned & (parts[0] | parts[1])


def test_training_is_repeatable_and_splits_differ():
    one, again, other = pretrained("perceptron", 0), pretrained("perceptron", 0), pretrained("perceptron", 0, split=2)
    np.testing.assert_array_equal(one.network.layers[0].weights, again.network.layers[0].weights)
    assert not np.array_equal(one.held_out.pixels, other.held_out.pixels)
