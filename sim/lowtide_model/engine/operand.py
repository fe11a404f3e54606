"""What an engine is told of an operand, beside its numbers."""

import attrs

from lowtide.engine.operand import ROUNDINGS
from lowtide.formats.parameter import parameter, whole_number
from lowtide_model.bfp_tensor import legal_bias

__all__ = ["Operand"]


def _bias(value: int | None) -> int | None:
    return None if value is None else whole_number("bias", value, legal_bias(1))


@attrs.frozen(kw_only=True)
class Operand:
    """How an operand is converted.

    Parameters
    ----------
    chunks : int
        Chunks of a magnitude, from 1 up to what the engine was generated for.
    rounding : str
        ``truncate``; ``nearest``, ties away from zero; or ``stochastic``.
    seed : int
        Of the random words, not 0.
    bias : int, optional
        ``B``; by default the one that puts the largest exponent at the top code.

    Raises
    ------
    IllegalValue
        If the rounding is none of these, or a number is no integer, or out of every engine's range.
    """

    chunks: int = parameter(1, range(1, 13), "chunks of a magnitude")
    rounding: str = parameter("nearest", ROUNDINGS, "rounding of magnitudes")
    seed: int = parameter(1, range(1, 2**32), "seed of the random words")
    bias: int | None = attrs.field(default=None, converter=_bias)
