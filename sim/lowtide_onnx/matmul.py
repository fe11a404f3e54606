"""MatMul and Gemm."""

import math
from collections.abc import Sequence

import attrs
import numpy as np

from lowtide_onnx.operand import Arrays, Multiply, Operand, Sizes, WrongShape, check_shape

__all__ = ["Gemm", "MatMul"]


@attrs.frozen(kw_only=True)
class MatMul:
    """Products of matrices, whose leading dimensions broadcast as in `numpy.matmul`.

    If B is one matrix, the rows of all matrices of A are the rows of one product.
    """

    sites = ("",)
    adds_bias = False

    def compute(self, inputs: Arrays, multiply: Multiply) -> list[np.ndarray]:
        a, b = inputs[:2]
        assert a is not None
        assert b is not None
        if not a.ndim or not b.ndim:
            raise WrongShape(f"matrices of shapes {a.shape} and {b.shape} do not multiply")
        left = a[np.newaxis] if a.ndim == 1 else a
        right = b[:, np.newaxis] if b.ndim == 1 else b
        if right.ndim == 2:
            batch = left.shape[:-2]
            rows = left.reshape(1, -1, left.shape[-1])
            y = multiply(0, Operand.of(rows, "input 0"), Operand.of(right[np.newaxis], "input 1"))
        else:
            batch = _common_shape(left.shape[:-2], right.shape[:-2])
            lefts, rights = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (left, right))
            y = multiply(
                0,
                Operand.of(lefts.reshape(-1, *left.shape[-2:]), "input 0"),
                Operand.of(rights.reshape(-1, *right.shape[-2:]), "input 1"),
            )
        y = y.reshape(*batch, left.shape[-2], right.shape[-1])
        y = y[..., 0] if b.ndim == 1 else y
        return [y[..., 0, :] if a.ndim == 1 and b.ndim > 1 else y[..., 0] if a.ndim == 1 else y]

    def sizes(self, shapes: Sequence[Sequence[int | None] | None]) -> Sizes:
        a, b = shapes[:2]
        n = None if not b else 1 if len(b) == 1 else b[-1]
        k = b[-2 if len(b) > 1 else 0] if b else None
        if not a:
            return None, k, n
        rows = a[:-1] if b is not None and len(b) <= 2 else a[-2:-1]
        known = [size for size in rows if size is not None]
        return (math.prod(known) if len(known) == len(rows) else None), (a[-1] if k is None else k), n

    def columns(self, weights: Sequence[int]) -> int:
        """Columns of B with weights of this shape; 0 if B is not one matrix."""
        return weights[1] if len(weights) == 2 else 0

    def matrices(self, weights: np.ndarray) -> np.ndarray:
        """B of shape (1, K, N) of weights that are one matrix."""
        return weights[np.newaxis]

    def stored(self, b: np.ndarray, _shape: Sequence[int]) -> np.ndarray:
        """The weights of B: the inverse of `matrices`."""
        return b[0]


@attrs.frozen(kw_only=True)
class Gemm:
    """``alpha * A B + beta * C``; the host multiplies by ``alpha`` and adds ``beta * C``.

    Parameters
    ----------
    alpha, beta : float
        Factors.
    transposed_a, transposed_b : bool
        Whether an operand is transposed.
    """

    alpha: float = 1.0
    beta: float = 1.0
    transposed_a: bool = False
    transposed_b: bool = False
    sites = ("",)

    def compute(self, inputs: Arrays, multiply: Multiply) -> list[np.ndarray]:
        a, b = inputs[:2]
        assert a is not None
        assert b is not None
        for name, x in (("input 0", a), ("input 1", b)):
            check_shape(name, x, None, None)
        left, right = (x.T if transposed else x for x, transposed in ((a, self.transposed_a), (b, self.transposed_b)))
        y = multiply(0, Operand.of(left[np.newaxis], "input 0"), Operand.of(right[np.newaxis], "input 1"))[0]
        if self.alpha != 1:
            y = y * np.float32(self.alpha)
        c = inputs[2] if len(inputs) > 2 else None
        if c is not None and self.beta != 0:
            _check_addend(c.shape, y.shape)
            y = y + (c if self.beta == 1 else c * np.float32(self.beta))
        return [y]

    def sizes(self, shapes: Sequence[Sequence[int | None] | None]) -> Sizes:
        a, b = (
            (None, None) if not shape else tuple(shape)[:: -1 if transposed else 1]
            for shape, transposed in zip(shapes, (self.transposed_a, self.transposed_b), strict=False)
        )
        return a[0], (b[0] if a[1] is None else a[1]), b[1]

    @property
    def adds_bias(self) -> bool:
        """Whether the third input is added to the product as it is."""
        return self.alpha == self.beta == 1

    def columns(self, weights: Sequence[int]) -> int:
        """Columns of B with weights of this shape."""
        return weights[0 if self.transposed_b else 1]

    def matrices(self, weights: np.ndarray) -> np.ndarray:
        """B of shape (1, K, N)."""
        return (weights.T if self.transposed_b else weights)[np.newaxis]

    def stored(self, b: np.ndarray, _shape: Sequence[int]) -> np.ndarray:
        """The weights of B: the inverse of `matrices`."""
        return b[0].T if self.transposed_b else b[0]

    @property
    def bound(self) -> "Gemm":
        """The layer whose outputs for magnitudes bound the sums of this layer."""
        return attrs.evolve(self, alpha=abs(self.alpha), beta=abs(self.beta))


def _common_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of two batches that broadcast."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        raise WrongShape(f"batches of shapes {a} and {b} do not broadcast") from None


def _check_addend(addend: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Refuse an addend that does not broadcast to the shape."""
    if len(addend) > 2 or any(size not in (1, of) for size, of in zip(addend[::-1], shape[::-1], strict=False)):
        raise WrongShape(f"input 2 must broadcast to {shape}, not have the shape {addend}")
