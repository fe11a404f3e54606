"""Conversion settings of an operand of an engine."""

import attrs

from lowtide.engine.operand import ROUNDINGS
from lowtide.formats.parameter import parameter, whole_number
from lowtide_model.bfp_tensor import legal_bias

__all__ = ["OperandSettings"]


def _bias(value: int | None) -> int | None:
    return None if value is None else whole_number("bias", value, legal_bias(1))


@attrs.frozen(kw_only=True)
class OperandSettings:
    """Settings for the conversion of an operand to block floating point.

    Parameters
    ----------
    chunks : int
        Chunks per magnitude, from 1 to the engine's maximum.
    rounding : str
        ``truncate``; ``nearest``, ties away from zero; or ``stochastic``.
    seed : int
        Seed of the random words, not 0.
    bias : int, optional
        ``B``. By default, the largest exponent has the largest code.

    Raises
    ------
    IllegalValue
        If the rounding is unknown, or a number is not an integer or out of the range of any engine.
    """

    chunks: int = parameter(1, range(1, 13), "chunks of a magnitude")
    rounding: str = parameter("nearest", ROUNDINGS, "rounding of magnitudes")
    seed: int = parameter(1, range(1, 2**32), "seed of the random words")
    bias: int | None = attrs.field(default=None, converter=_bias)
