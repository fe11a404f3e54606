"""Weights of few bits by least squares."""

import numpy as np
import pytest

pytest.importorskip("onnx")
from lowtide.formats import Bfp
from lowtide_model import quantize
from lowtide_onnx.least_squares import DAMPINGS, Fit


def problem(matrices, rows, k, n, seed=0):
    """Correlated rows, weights, and their products with an offset."""
    rng = np.random.default_rng([seed, k, n])
    x = rng.standard_normal((matrices, rows, k)) @ rng.standard_normal((matrices, k, k)) / np.sqrt(k)
    weights = rng.standard_normal((matrices, k, n)) * np.exp2(rng.integers(-2, 2, (matrices, k, n)))
    y = x @ weights + rng.standard_normal((matrices, 1, n))
    return x.astype(np.float32), weights, y.astype(np.float32)


def fitted(x, y, weights, bfp, bits, with_bias=False, parts=1):
    fit = Fit(with_bias)
    for its_x, its_y in zip(np.array_split(x, parts, 1), np.array_split(y, parts, 1), strict=True):
        fit.add(its_x, its_y)
    return fit, fit.weights(weights, bfp, bits)


def rounded(weights, bfp, bits):
    return quantize(weights, mantissa=bits, exponent=bfp.exponent, group=bfp.lanes, axis=1)


def damped(x, damping):
    """X'X with a larger diagonal, in the order of the definition."""
    xx = x.astype(np.float64).T @ x.astype(np.float64)
    return xx + damping * np.trace(xx) / len(xx) * np.eye(len(xx))


@pytest.mark.parametrize(("k", "lanes"), [(1, 16), (5, 4), (16, 16), (37, 16), (40, 8)])
@pytest.mark.parametrize(("bits", "exponent"), [(1, 1), (2, 3), (4, 2), (8, 5)])
def test_the_engine_represents_the_weights_exactly(k, lanes, bits, exponent):
    bfp = Bfp(lanes=lanes, exponent=exponent)
    x, weights, y = problem(3, 50, k, 4)
    _, found = fitted(x, y, weights, bfp, bits, with_bias=bool(k % 2))
    np.testing.assert_array_equal(rounded(found, bfp, bits).to_float(), found)


@pytest.mark.parametrize("bits", [2, 4])
def test_each_row_is_rounded_before_the_later_rows_fit_anew(bits, monkeypatch):
    """The definition of optimal rounding row by row: the later rows minimize the error that the rounded rows leave."""
    bfp, k = Bfp(lanes=4), 11
    x, weights, y = problem(1, 60, k, 3)
    monkeypatch.setattr("lowtide_onnx.least_squares.DAMPINGS", {"fit": (0.1,), "rounding": (0.03,)})
    _, found = fitted(x, y, weights, bfp, bits, parts=7)
    xx = x[0].astype(np.float64).T @ x[0].astype(np.float64)
    first = weights[0] + np.linalg.solve(
        damped(x[0], 0.1), x[0].astype(np.float64).T @ y[0].astype(np.float64) - xx @ weights[0]
    )
    hessian, left, expected = damped(x[0], 0.03), first.copy(), np.zeros_like(first)
    bias = rounded(first, bfp, bits).bias
    for row in range(k):
        if row % bfp.lanes == 0:
            group = left[np.newaxis, row : row + bfp.lanes]
            codes = quantize(group, mantissa=bits, exponent=3, group=bfp.lanes, axis=1, bias=bias).codes[0, :, 0]
        step = np.exp2(codes + float(bias - bits + 1))
        magnitudes = np.minimum(np.floor(np.abs(left[row]) / step + 0.5), 2**bits - 1)
        expected[row] = np.sign(left[row]) * magnitudes * step
        error = expected[row] - left[row]
        left[row + 1 :] -= np.linalg.solve(hessian[row + 1 :, row + 1 :], hessian[row + 1 :, [row]]) * error
    np.testing.assert_allclose(found[0], expected, atol=1e-9)


def test_uncorrelated_rows_are_rounded_to_nearest():
    bfp, k = Bfp(lanes=8), 24
    x = np.tile(np.eye(k, dtype=np.float32), (2, 5, 1))
    _, weights, _ = problem(2, 4, k, 6)
    y = np.matmul(x, weights.astype(np.float32))
    _, found = fitted(x, y, weights.astype(np.float32).astype(np.float64), bfp, 4)
    np.testing.assert_array_equal(found, rounded(weights.astype(np.float32), bfp, 4).to_float())


def test_a_bias_makes_the_means_equal():
    bfp = Bfp(lanes=8)
    x, weights, y = problem(3, 80, 20, 5)
    fit, found = fitted(x, y, weights, bfp, 2, with_bias=True, parts=3)
    products = x.astype(np.float64) @ found + fit.bias(found)[:, np.newaxis]
    np.testing.assert_allclose(products.mean(1), y.mean(1, dtype=np.float64), atol=1e-6)


@pytest.mark.parametrize("bits", [2, 4])
def test_products_are_nearer_than_with_weights_to_nearest(bits):
    bfp = Bfp(lanes=16)
    for seed in range(10):
        x, weights, y = problem(1, 400, 32, 8, seed)
        fit, found = fitted(x, y, weights, bfp, bits, with_bias=True)
        plain = x @ rounded(weights, bfp, bits).to_float() - y
        errors = x @ found + fit.bias(found)[:, np.newaxis] - y
        assert np.square(errors).sum() < 0.85 * np.square(plain - plain.mean(1, keepdims=True)).sum()


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize(("for_x", "for_y"), [(80, 80), (-80, -80), (100, 0), (-100, 20)])
def test_rows_may_be_large_or_small(for_x, for_y, with_bias):
    """Powers of two that scale the rows scale the weights."""
    bfp = Bfp(lanes=8)
    x, weights, y = problem(1, 60, 16, 4)
    # Few bits, so that no sum is rounded.
    x, y, weights = np.round(x * 8) / np.float32(8), np.round(y * 8) / np.float32(8), np.round(weights * 8) / 8
    _, expected = fitted(x, y, weights, bfp, 4, with_bias)
    scaled = x * np.float32(2.0**for_x), y * np.float32(2.0**for_y)
    _, found = fitted(*scaled, weights * 2.0 ** (for_y - for_x), bfp, 4, with_bias)
    np.testing.assert_array_equal(found, expected * 2.0 ** (for_y - for_x))


def test_no_activation_leaves_the_weights():
    bfp = Bfp(lanes=8)
    x, weights, y = problem(2, 10, 12, 3)
    weights = weights.astype(np.float32).astype(np.float64)
    _, found = fitted(np.zeros_like(x), y, weights, bfp, 4)
    np.testing.assert_array_equal(found, rounded(weights, bfp, 4).to_float())


@pytest.mark.parametrize("with_bias", [False, True])
def test_the_damping_has_the_least_error_of_the_other_half(with_bias):
    chosen = set()
    for seed, moved in enumerate((0, 0.03, 0.1, 0.3, 1, 3)):
        rng = np.random.default_rng(seed)
        x, weights, y = problem(1, 40, 24, 6, seed)
        old = weights + moved * rng.standard_normal(weights.shape)
        y = (y + rng.standard_normal(y.shape)).astype(np.float32)
        fit, _ = fitted(x, y, old, Bfp(), 4, with_bias)
        halves = [(x[0, part].astype(np.float64), y[0, part]) for part in (slice(20), slice(20, 40))]
        if with_bias:
            halves = [(its_x - its_x.mean(0), its_y - its_y.mean(0, dtype=np.float64)) for its_x, its_y in halves]
        errors = []
        for d in DAMPINGS["fit"]:
            error = 0
            for (one, its), (other, expected) in (halves, halves[::-1]):
                step = 0 if d == np.inf else np.linalg.solve(damped(one, d), one.T @ (its - one @ old[0]))
                error += np.square(other @ (old[0] + step) - expected).sum()
            errors.append(error)
        assert fit.damping["fit"] == DAMPINGS["fit"][int(np.argmin(errors))]
        chosen.add(fit.damping["fit"])
    assert len(chosen) > 2


def test_few_rows_do_not_spoil_the_weights():
    """With few rows, the errors of other rows are at most a little larger than with weights to nearest."""
    bfp, ratios = Bfp(lanes=16), []
    for seed in range(30):
        x, weights, y = problem(1, 1000, 32, 8, seed)
        _, found = fitted(x[:, :10], y[:, :10], weights, bfp, 2)
        errors = x[:, 10:] @ found - y[:, 10:], x[:, 10:] @ rounded(weights, bfp, 2).to_float() - y[:, 10:]
        ratios.append(np.divide(*(np.square(one).sum() for one in errors)))
    assert np.mean(ratios) < 1.1
