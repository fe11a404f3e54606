"""What an engine is told of an operand, beside its numbers."""

import attrs

from lowtide.engine.operand import ROUNDINGS
from lowtide.formats.parameter import IllegalValue, legal_text

__all__ = ["Operand"]


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
        If the rounding is none of these, or a number is out of every engine's range.
    """

    chunks: int = 1
    rounding: str = "nearest"
    seed: int = 1
    bias: int | None = None

    def __attrs_post_init__(self):
        if self.rounding not in ROUNDINGS:
            raise IllegalValue("rounding", legal_text(ROUNDINGS), self.rounding)
        if self.chunks not in range(1, 13):
            raise IllegalValue("chunks", legal_text(range(1, 13)), self.chunks)
        if self.seed not in range(1, 2**32):
            raise IllegalValue("seed", legal_text(range(1, 2**32)), self.seed)
