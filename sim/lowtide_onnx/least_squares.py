"""Weights of few bits for given products: least squares, and rounding that compensates its errors."""

import math
from collections.abc import Callable

import numpy as np

from lowtide.formats.bfp import Bfp
from lowtide_model import default_bias, quantize
from lowtide_model.bfp_tensor import BfpTensor
from lowtide_onnx.operand import largest

__all__ = ["DAMPINGS", "Fit"]

DAMPINGS = {"fit": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, math.inf), "rounding": (0.01, 0.1, 1.0, math.inf)}
"""What is added to the diagonal of X'X, relative to its mean: the more, the nearer the weights stay."""

SMALL, LARGE = 1e-15, 1e15
"""Between them, FP32 holds the sums of products of rows."""


class _Sums:
    """Sums over rows X of A and rows Y of products; all arrays have a leading dimension of matrices."""

    def __init__(self):
        self.rows = 0
        self.xx, self.xy = np.zeros((1, 1, 1)), np.zeros((1, 1, 1))
        self.x, self.y = np.zeros((1, 1)), np.zeros((1, 1))

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        if not all(SMALL < largest(one) < LARGE for one in (x, y)):
            x, y = x.astype(np.float64), y.astype(np.float64)
        transposed = x.swapaxes(1, 2)
        self.rows += x.shape[1]
        self.xx = self.xx + np.matmul(transposed, x).astype(np.float64)
        self.xy = self.xy + np.matmul(transposed, y).astype(np.float64)
        self.x = self.x + x.sum(1, dtype=np.float64)
        self.y = self.y + y.sum(1, dtype=np.float64)

    def __add__(self, other: "_Sums") -> "_Sums":
        total = _Sums()
        for name in ("rows", "xx", "xy", "x", "y"):
            setattr(total, name, getattr(self, name) + getattr(other, name))
        return total

    def products(self, centered: bool) -> tuple[np.ndarray, np.ndarray]:
        """X'X and X'Y, of X and Y relative to their means if they are centered."""
        if not centered or not self.rows:
            return self.xx, self.xy
        x = self.x[:, :, np.newaxis]
        return self.xx - x * self.x[:, np.newaxis] / self.rows, self.xy - x * self.y[:, np.newaxis] / self.rows


class Fit:
    """Finds weights of few bits whose products with rows X of A are near to rows Y of products.

    There may be several matrices of weights, each with its own X and Y.

    Parameters
    ----------
    with_bias : bool
        Whether a bias per column is added to X W.

    Attributes
    ----------
    damping : dict of str to float
        The dampings of the last `weights`, one for each of ``DAMPINGS``.
    """

    def __init__(self, with_bias: bool):
        self.with_bias = with_bias
        self.damping: dict[str, float] = {}
        self.halves = _Sums(), _Sums()

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Add rows: X of shape (matrices, rows, K), and Y of shape (matrices, rows, N), both in float32."""
        middle = x.shape[1] // 2
        for half, part in zip(self.halves, (slice(0, middle), slice(middle, None)), strict=True):
            half.add(x[:, part], y[:, part])

    def weights(self, old: np.ndarray, bfp: Bfp, bits: int) -> np.ndarray:
        """Weights of shape (matrices, K, N) that block floating point of so many bits represents exactly.

        Ridge regression towards the old weights: ``F = W + (X'X + d I)**-1 (X'Y - X'X W)``. Then F is rounded to
        nearest, row by row in the order of K, and the later rows compensate each row's error, by ``X'X + r I``. With a
        bias, X and Y are relative to their means.

        The dampings d and r have the least error when each half of the rows tests the weights of the other half: first
        d without rounding, then r. A half is the first or the second half of the rows of each `add`. With infinite
        dampings, the old weights are rounded to nearest.

        Parameters
        ----------
        old : array, shape (matrices, K, N)
            ``W``.
        bfp : Bfp
            Lanes and exponents of the engine.
        bits : int
            Magnitude bits of B.

        Notes
        -----
        Source: Frantar, Ashkboos, Hoefler and Alistarh, GPTQ, ICLR 2023, for the rounding.
        """
        halves = [half.products(self.with_bias) for half in self.halves]

        def best(kind: str, weights_of: Callable[[np.ndarray, np.ndarray, float], np.ndarray]) -> float:
            def error(damping: float) -> float:
                pairs = zip(halves, halves[::-1], strict=True)
                return sum(_error(weights_of(*half, damping), old, *other) for half, other in pairs)

            return min(DAMPINGS[kind], key=error)

        fit = best("fit", lambda xx, xy, d: _fitted(old, xx, xy, d))
        rounding = best("rounding", lambda xx, xy, r: _rounded(_fitted(old, xx, xy, fit), xx, r, bfp, bits))
        self.damping = {"fit": fit, "rounding": rounding}
        xx, xy = (self.halves[0] + self.halves[1]).products(self.with_bias)
        return _rounded(_fitted(old, xx, xy, fit), xx, rounding, bfp, bits)

    def bias(self, weights: np.ndarray) -> np.ndarray:
        """Mean of Y - X W, of shape (matrices, N)."""
        total = self.halves[0] + self.halves[1]
        return (total.y - np.einsum("gk,gkn->gn", total.x, weights)) / total.rows


def _damped(xx: np.ndarray, damping: float) -> np.ndarray:
    """X'X with a larger diagonal."""
    mean = np.einsum("gkk->g", xx) / xx.shape[1]
    added = np.where(mean > 0, damping * mean, 1.0)  # without any activation, the weights stay
    return xx + added[:, np.newaxis, np.newaxis] * np.eye(xx.shape[1])


def _fitted(old: np.ndarray, xx: np.ndarray, xy: np.ndarray, damping: float) -> np.ndarray:
    """Ridge regression towards the old weights."""
    if damping == math.inf:
        return old
    return old + np.linalg.solve(_damped(xx, damping), xy - xx @ old)


def _error(weights: np.ndarray, old: np.ndarray, xx: np.ndarray, xy: np.ndarray) -> float:
    """Sum of squares of Y - X W, less the same sum with the old weights."""
    step = weights - old
    return float((step * (xx @ (weights + old) - 2 * xy)).sum())


def _rounded(weights: np.ndarray, xx: np.ndarray, damping: float, bfp: Bfp, bits: int) -> np.ndarray:
    """Rows rounded to nearest in the order of K; later rows compensate each row's error."""
    bias = default_bias(np.array([largest(weights)], np.float32), exponent=bfp.exponent)

    def nearest(rows: np.ndarray) -> BfpTensor:
        return quantize(rows, mantissa=bits, exponent=bfp.exponent, group=bfp.lanes, axis=1, bias=bias)

    if damping == math.inf:
        return nearest(weights).to_float()
    left, rounded, errors = weights.copy(), np.empty_like(weights), np.empty_like(weights)
    upper = np.linalg.cholesky(np.linalg.inv(_damped(xx, damping))).swapaxes(1, 2)
    most, length = 2**bits - 1, weights.shape[1]
    for start in range(0, length, bfp.lanes):
        end = min(start + bfp.lanes, length)
        codes = nearest(left[:, start:end]).codes
        step = np.exp2(codes[..., 0].astype(np.float64) + (bias - (bits - 1)))
        for k in range(start, end):
            row = left[:, k]
            magnitudes = np.minimum(np.floor(np.abs(row) / step + 0.5), most)
            rounded[:, k] = np.copysign(magnitudes, row) * step
            errors[:, k] = (row - rounded[:, k]) / upper[:, k, k, np.newaxis]
            left[:, k + 1 : end] -= upper[:, k, k + 1 : end, np.newaxis] * errors[:, np.newaxis, k]
        left[:, end:] -= upper[:, start:end, end:].swapaxes(1, 2) @ errors[:, start:end]
    return rounded
