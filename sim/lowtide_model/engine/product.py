"""What an engine makes of two operands, and what it says of them."""

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.operand import ROUNDINGS, OperandLayout
from lowtide.formats.parameter import whole_number
from lowtide_model import Improvement
from lowtide_model.engine.operand import Operand

__all__ = ["Events", "Lines", "Product", "checked"]


@attrs.frozen(kw_only=True)
class Events:
    """What happened to the numbers of a product.

    Parameters
    ----------
    a_exp_saturated, b_exp_saturated : int
        Groups above the window of exponents.
    a_saturated, b_saturated : int
        Elements that were held at the largest magnitude.
    a_nonfinite, b_nonfinite : int
        Groups with a NaN or an infinity.
    overflows, underflows : int
        Results that were infinite, or zero though their sums were not.
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
class Lines:
    """An operand as an engine takes it.

    Parameters
    ----------
    x : array of float32, shape (lines, K)
        Rows of A, or columns of B.
    transposed : bool
        Its memory has the first element of every line, then the second: so it is sent, and no copy is made.
    """

    x: np.ndarray
    transposed: bool

    @property
    def runs(self) -> np.ndarray:
        """The same in the order of its memory."""
        return self.x.T if self.transposed else self.x

    def settings(self, operand: Operand) -> dict[str, int]:
        """What registers hold of it, by their names without the side."""
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
    """A product.

    Parameters
    ----------
    values : array of float32, shape (M, N)
    events : Events
    a_improvement, b_improvement : Ratio, optional
        Of either operand; None where magnitudes have but one chunk.
    cycles : int, optional
        From its start until its last result was taken; None where there is no clock.
    """

    values: np.ndarray
    events: Events
    a_improvement: Improvement | None = None
    b_improvement: Improvement | None = None
    cycles: int | None = None


def checked(
    config: Config, a: np.ndarray, b: np.ndarray, a_settings: Operand, b_settings: Operand
) -> tuple[Lines, Lines]:
    """Both operands as lines along the reduction, rows of A and columns of B, if the engine takes their product.

    Raises
    ------
    ValueError
        If they are no matrices of float32 that multiply, have no elements, or do not fit into the engine; or if a
        setting of an operand is not one that the engine's registers take.
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
        _lines("a", config, a, a_settings, array.rows, bfp.chunk_a),
        _lines("b", config, b.T, b_settings, array.columns, bfp.chunk_b),
    )


def _lines(name: str, config: Config, x: np.ndarray, operand: Operand, lines: int, chunk: int) -> Lines:
    bfp, engine = config.bfp, config.engine
    legal = OperandLayout(bfp, chunk, lines * engine.buffer_depth, engine.lfsr_bits).legal
    for setting in ("chunks", "seed", *(() if operand.bias is None else ("bias",))):
        whole_number(f"{setting} of {name}", getattr(operand, setting), legal[setting])
    words = -(-x.shape[0] // lines) * -(-x.shape[1] // bfp.lanes) * operand.chunks
    if words > engine.buffer_depth:
        raise ValueError(
            f"{name} must take at most {engine.buffer_depth} words of a buffer, the engine.buffer_depth:"
            f" {x.shape[0]} lines of {x.shape[1]} in {operand.chunks} chunks take {words}"
        )
    transposed = not x.flags.c_contiguous and x.T.flags.c_contiguous
    if transposed and x.shape[0] > engine.transpose_depth:
        raise ValueError(
            f"{name} must have at most {engine.transpose_depth} lines, the engine.transpose_depth,"
            f" where it is transposed, not {x.shape[0]}"
        )
    return Lines(x, transposed)
