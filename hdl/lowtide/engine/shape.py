"""What a matrix engine is generated for, beside its array and its format."""

import attrs

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.units.random.shape import Source

__all__ = ["EngineShape"]


@attrs.frozen(kw_only=True)
class EngineShape:
    """What is around the array of an engine.

    Parameters
    ----------
    numbers : int
        FP32 numbers of a beat, on either stream of operands: a divisor of ``bfp.lanes``.
    results : int
        FP32 numbers of a beat of results, a divisor of ``array.columns``.
    words : int
        Chunks of groups that the buffer of a row or column holds of an operand; it holds two operands.
    turn : int
        Longest run of numbers in an operand that is read across, a multiple of ``numbers``.
    random : int
        Bits of a random word, ``r``, for stochastic rounding.
    generator : int
        Bits of the generator of random words.
    counter : int
        Bits of a counter, which stays at its largest number.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or they do not go together.
    """

    numbers: int = parameter(4, (1, 2, 4, 8, 16), "FP32 numbers of a beat of operands, a divisor of bfp.lanes")
    results: int = parameter(4, range(1, 513), "FP32 numbers of a beat of results, a divisor of array.columns")
    words: int = parameter(
        1024, tuple(1 << n for n in range(4, 15)), "chunks that a row's or a column's buffer holds of an operand"
    )
    turn: int = parameter(256, tuple(1 << n for n in range(4, 13)), "longest run of an operand that is read across")
    random: int = parameter(3, range(1, 9), "bits of a random word, for stochastic rounding")
    generator: int = parameter(5, range(2, 33), "bits of the generator of random words")
    counter: int = parameter(32, range(10, 33), "bits of a counter, which stays at its largest number")

    def __attrs_post_init__(self):
        if self.generator < self.random:
            raise IllegalValue("generator", f"from {self.random}, the bits of a random word, to 32", self.generator)

    def source(self, lanes: int) -> Source:
        """Where random words come from, for converters of so many lanes.

        Raises
        ------
        IllegalValue
            If the generator is too short for the lanes.
        """
        try:
            return Source(bits=self.generator, width=self.random, polarity="space", lanes=lanes, rows=True)
        except IllegalValue as error:
            key = {"lanes": "generator", "bits": "generator"}.get(error.key, error.key)
            least = next(bits for bits in range(2, 33) if 2 * (2**bits - 1) >= lanes)
            raise IllegalValue(key, f"{least} or more, for bfp.lanes = {lanes}", self.generator) from None
