"""What a matrix engine is generated for, beside its array and its format."""

import attrs

from lowtide.formats.bfp import Bfp
from lowtide.formats.parameter import IllegalValue, legal_text, parameter
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.stream.downsizer import check_lanes

__all__ = ["EngineParams"]


@attrs.frozen(kw_only=True)
class EngineParams:
    """What is around the array of an engine.

    Parameters
    ----------
    input_width : int
        FP32 numbers of a beat, on either stream of operands: a divisor of ``bfp.lanes``.
    output_width : int
        FP32 numbers of a beat of results, a divisor of ``array.columns``.
    buffer_depth : int
        Chunks of groups that the buffer of a row or column holds of an operand; it holds two operands.
    transpose_depth : int
        Longest run of numbers in an operand that is read across, a multiple of ``input_width``.
    random_bits : int
        Bits of a random word, ``r``, for stochastic rounding. Where ``bfp.mantissa`` has two chunks of an operand or
        more, the engine meters that operand, and a word must have the bits of a chunk less one at least.
    lfsr_bits : int
        Bits of the generator of random words, no fewer than ``random_bits``. An operand has ``2**lfsr_bits - 1``
        seeds. A state serves two lanes, so that ``2 * (2**lfsr_bits - 1)`` must be ``bfp.lanes`` or more.
    counter_bits : int
        Bits of a counter, which stays at its largest number.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    input_width: int = parameter(4, (1, 2, 4, 8, 16), "FP32 numbers of a beat of operands, a divisor of bfp.lanes")
    output_width: int = parameter(4, range(1, 513), "FP32 numbers of a beat of results, a divisor of array.columns")
    buffer_depth: int = parameter(
        1024, tuple(1 << n for n in range(4, 15)), "chunks that a row's or a column's buffer holds of an operand"
    )
    transpose_depth: int = parameter(
        256, tuple(1 << n for n in range(4, 13)), "longest run of an operand that is read across"
    )
    random_bits: int = parameter(
        3, range(1, 9), "bits of a random word, those of a chunk less one at least where bfp.mantissa has two chunks"
    )
    lfsr_bits: int = parameter(
        16, range(2, 33), "bits of the generator of random words, no fewer than random_bits, enough for bfp.lanes"
    )
    counter_bits: int = parameter(32, range(10, 33), "bits of a counter, which stays at its largest number")

    def check(self, bfp: Bfp, columns: int) -> None:
        """Refuse what does not go with the format and the columns of an array.

        Raises
        ------
        IllegalValue
            If a parameter does not.
        """
        if bfp.lanes % self.input_width:
            divisors = [width for width in (1, 2, 4, 8, 16) if bfp.lanes % width == 0]
            legal = f"a divisor of bfp.lanes = {bfp.lanes}: {legal_text(divisors)}"
            raise IllegalValue("input_width", legal, self.input_width)
        check_lanes("output_width", self.output_width, columns, "array.columns")
        self.source(bfp.lanes)
        metered = [chunk for chunk in (bfp.chunk_a, bfp.chunk_b) if bfp.mantissa >= 2 * chunk]
        least = max(metered, default=1) - 1
        if self.random_bits < least:
            legal = f"{least} or more (a chunk of {least + 1} bits less one, as bfp.mantissa = {bfp.mantissa} has two)"
            raise IllegalValue("random_bits", legal, self.random_bits)

    def source(self, lanes: int) -> RandomSourceParams:
        """Where random words come from, for converters of so many lanes.

        Raises
        ------
        IllegalValue
            If the generator is too short for a word, or for the lanes.
        """
        least = next(bits for bits in range(self.random_bits, 33) if 2 * (2**bits - 1) >= lanes)
        if self.lfsr_bits < least:
            because = f"random_bits = {self.random_bits} or more; a state serves two of bfp.lanes = {lanes}"
            raise IllegalValue("lfsr_bits", f"from {least} to 32 ({because})", self.lfsr_bits)
        return RandomSourceParams(bits=self.lfsr_bits, width=self.random_bits, polarity="space", lanes=lanes, rows=True)
