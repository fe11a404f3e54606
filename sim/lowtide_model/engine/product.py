"""Operands and results of an engine, and the check that a product fits into the engine."""

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.operand import ROUNDINGS, OperandLayout
from lowtide.formats.parameter import whole_number
from lowtide_model import Improvement
from lowtide_model.engine.operand import OperandSettings

__all__ = ["Events", "OperandVectors", "Product", "operand_vectors"]


@attrs.frozen(kw_only=True)
class Events:
    """Numerical events of a product.

    Parameters
    ----------
    a_exp_saturated, b_exp_saturated : int
        Groups whose exponent saturated.
    a_saturated, b_saturated : int
        Elements whose magnitude saturated.
    a_nonfinite, b_nonfinite : int
        Groups with a NaN or an infinity.
    overflows, underflows : int
        Results that became infinite, or became zero although their sums were not zero.
    """

    a_exp_saturated: int
    b_exp_saturated: int
    a_saturated: int
    b_saturated: int
    a_nonfinite: int
    b_nonfinite: int
    overflows: int
    underflows: int


@attrs.frozen(eq=False)
class OperandVectors:
    """An operand as vectors along the reduction axis, and its order on the stream.

    Parameters
    ----------
    x : array of float32, shape (vectors, K)
        Rows of A, or columns of B.
    transposed : bool
        Whether memory has the first elements of all vectors first, then the second. The operand is sent in this order,
        without a copy.
    """

    x: np.ndarray
    transposed: bool

    @property
    def in_memory_order(self) -> np.ndarray:
        """The operand with contiguous rows, in the order in which it is sent."""
        return self.x.T if self.transposed else self.x

    def settings(self, operand: OperandSettings) -> dict[str, int]:
        """Values of the operand's registers, by their names without the prefix ``a_`` or ``b_``."""
        return {
            "vectors": self.x.shape[0],
            "length": self.x.shape[1],
            "transposed": int(self.transposed),
            "chunks": operand.chunks,
            "rounding": ROUNDINGS.index(operand.rounding),
            "seed": operand.seed,
            "bias_auto": int(operand.bias is None),
            "bias": operand.bias or 0,
        }


@attrs.frozen(kw_only=True, eq=False)
class Product:
    """Result of an engine.

    Parameters
    ----------
    values : array of float32, shape (M, N)
        The product.
    events : Events
        Numerical events.
    a_improvement, b_improvement : Improvement, optional
        Relative improvement of each operand; None if magnitudes have only one chunk.
    cycles : int, optional
        Clock cycles from the start until the last result was accepted; None without a clock.
    """

    values: np.ndarray
    events: Events
    a_improvement: Improvement | None = None
    b_improvement: Improvement | None = None
    cycles: int | None = None


def operand_vectors(
    config: Config, a: np.ndarray, b: np.ndarray, a_settings: OperandSettings, b_settings: OperandSettings
) -> tuple[OperandVectors, OperandVectors]:
    """Check that the engine can compute a product, and return both operands as vectors along the reduction axis.

    Raises
    ------
    ValueError
        If the operands are not float32 matrices that multiply, are empty, or do not fit into the engine; or if a
        setting is out of the range of its register.
    """
    for name, operand in (("a", a), ("b", b)):
        if not isinstance(operand, np.ndarray):
            raise ValueError(f"{name} must be a matrix of float32, not of type {type(operand).__name__}")
        if operand.ndim != 2 or operand.dtype != np.float32:
            raise ValueError(f"{name} must be a matrix of float32, not {operand.dtype} of {operand.ndim} dimensions")
    if a.shape[1] != b.shape[0] or 0 in (*a.shape, *b.shape):
        raise ValueError(f"a and b must be matrices that multiply, not of shapes {a.shape} and {b.shape}")
    if a.shape[1] > config.bfp.max_k:
        raise ValueError(f"K must be at most {config.bfp.max_k}, the max_k, not {a.shape[1]}")
    array, bfp = config.array, config.bfp
    return (
        _vectors("a", config, a, a_settings, array.rows, bfp.chunk_a),
        _vectors("b", config, b.T, b_settings, array.columns, bfp.chunk_b),
    )


def _vectors(
    name: str, config: Config, x: np.ndarray, operand: OperandSettings, panel: int, chunk: int
) -> OperandVectors:
    bfp, engine = config.bfp, config.engine
    legal = OperandLayout(bfp, chunk, panel * engine.buffer_depth, engine.lfsr_bits).legal
    for setting in ("chunks", "seed", *(() if operand.bias is None else ("bias",))):
        whole_number(f"{setting} of {name}", getattr(operand, setting), legal[setting])
    words = -(-x.shape[0] // panel) * -(-x.shape[1] // bfp.lanes) * operand.chunks
    if words > engine.buffer_depth:
        raise ValueError(
            f"{name} must take at most {engine.buffer_depth} words of a buffer, the engine.buffer_depth:"
            f" {x.shape[0]} vectors of {x.shape[1]} in {operand.chunks} chunks take {words}"
        )
    transposed = not x.flags.c_contiguous and x.T.flags.c_contiguous
    if transposed and x.shape[0] > engine.transpose_depth:
        raise ValueError(
            f"{name}, transposed, must have at most {engine.transpose_depth} vectors, the engine.transpose_depth,"
            f" not {x.shape[0]}"
        )
    return OperandVectors(x, transposed)
