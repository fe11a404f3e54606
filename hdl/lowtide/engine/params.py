"""Parameters of a matrix engine, in addition to its array and its format."""

import attrs

from lowtide.engine.sum_memory import MOST_SUM_BITS
from lowtide.formats.bfp import Bfp
from lowtide.formats.integers import PackedIntegers
from lowtide.formats.parameter import IllegalValue, legal_text, parameter
from lowtide.formats.terms import Terms
from lowtide.units.arithmetic.pmac import PmacParams
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.stream.width_converters import check_lanes

__all__ = ["CONVERSION_KEYS", "EngineParams", "integer_format"]

MOST_BUFFER_BITS = 65_536
"""Most bits of a buffer's output, a chunk per row or column of the array: Amaranth writes no wider signal."""

CONVERSION_KEYS = ("transpose_depth", "random_bits", "lfsr_bits", "random_plateau", "packed_operands")
"""Keys of the conversion to block floating point, which an engine of integers lacks and ignores."""

Accumulated = Bfp | Terms | PmacParams
"""Format that sizes an accumulator."""


@attrs.frozen(kw_only=True)
class EngineParams:
    """Parameters of an engine around its array.

    Parameters
    ----------
    input_width : int
        FP32 numbers per beat on either operand stream, a divisor of ``bfp.lanes``.
    output_width : int
        FP32 numbers per beat on the result stream, a divisor of ``array.columns``.
    buffer_depth : int
        Chunks per operand in the buffer of a row or column, which stores two operands.
    write_width : int
        Chunks per cycle that a loader writes: all chunks of a packed group, or of several groups of a beat. The
        memory of a row or column consists of as many slices.
    transpose_depth : int
        Longest row of the stream of a transposed operand, a multiple of ``input_width``. With 0, the engine has no
        transposers, and all operands arrive in order.
    random_bits : int
        Width of a random word for stochastic rounding in bits, ``r``. With the half step, a fraction below
        ``2**-(r + 1)`` is never rounded up. Two bits train networks better than more bits.
    lfsr_bits : int
        Width of the generator of random words in bits, at least ``random_bits``. An operand has ``2**lfsr_bits - 1``
        seeds. One state serves two lanes, so ``2 * (2**lfsr_bits - 1)`` must be at least ``bfp.lanes``.
    random_plateau : bool
        Whether the random words zero and ``2**r - 1`` are half as frequent as with a plain generator. Then small
        fractions are rounded up less often, and large fractions down less often, which adds less noise to small
        numbers, and more bias. The mean error of uniform fractions remains zero. Language models with gradients of two
        bits train better with it.
    counter_bits : int
        Width of a saturating counter in bits.
    packed_operands : bool
        Whether an operand may also arrive as packed groups, which pass the converter.
    sum_rows, sum_columns : int
        Rows and columns of the block of C whose exact sums stay on chip, rounded up to whole tiles. With 0 rows, the
        engine has no memory for sums.
    sum_max_k : int
        Longest reduction of a sum on chip, from which its width follows; at least ``bfp.max_k``.
    post_operations : bool
        Whether the engine adds a column bias, ReLU and a residual to the results, see `PostOperations`.
    packed_results : bool
        Whether the results may also leave packed along N: as groups, see `PackedResults`, or as integers, see
        `IntegerResults`.
    column_scale : bool
        Whether an engine of integers adds an offset to each exact sum and multiplies by a scale, both per column, see
        `ColumnNormalizer`.
    slots : int
        Operands per buffer that stay until a host replaces them, each of ``buffer_depth`` chunks per row or column.
        With 0, two operands take turns, and products can use only the operand loaded last again. See `OperandSlots`.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    input_width: int = parameter(4, (1, 2, 4, 8, 16), "FP32 numbers per operand beat, a divisor of bfp.lanes")
    output_width: int = parameter(4, range(1, 513), "FP32 numbers per result beat, a divisor of array.columns")
    buffer_depth: int = parameter(
        1024, tuple(1 << n for n in range(4, 15)), "chunks per operand in the buffer of a row or column"
    )
    write_width: int = parameter(2, (1, 2, 4), "chunks per cycle that a loader writes into the buffers", internal=True)
    transpose_depth: int = parameter(
        256,
        (0, *(1 << n for n in range(4, 13))),
        "longest row of the stream of a transposed operand; 0: operands arrive in order only",
    )
    random_bits: int = parameter(2, range(1, 9), "width of a random word in bits")
    lfsr_bits: int = parameter(
        16, range(2, 33), "width of the random generator in bits, at least random_bits and enough for bfp.lanes"
    )
    random_plateau: bool = parameter(
        False, (False, True), "whether the least and the greatest random word are half as frequent"
    )
    counter_bits: int = parameter(32, range(10, 33), "width of a saturating counter in bits")
    packed_operands: bool = parameter(
        True, (False, True), "whether an operand may also arrive as packed groups, which pass the converter"
    )
    sum_rows: int = parameter(
        0, range(513), "rows of the block of C whose exact sums stay on chip; 0 for no sums", feature="sum_rows"
    )
    sum_columns: int = parameter(
        128, range(1, 513), "columns of the block of C whose exact sums stay on chip", feature="sum_rows"
    )
    sum_max_k: int = parameter(
        2**20, range(1, 2**20 + 1), "longest reduction of a sum on chip, at least bfp.max_k", feature="sum_rows"
    )
    post_operations: bool = parameter(
        False,
        (False, True),
        "whether the engine adds a column bias, ReLU and a residual to the results",
        feature="post_operations",
    )
    packed_results: bool = parameter(
        False,
        (False, True),
        "whether the results may also leave packed along N: as groups, or as integers",
        feature="packed_results",
    )
    column_scale: bool = parameter(
        False,
        (False, True),
        "whether an engine of integers has an offset and a scale per column",
        feature="column_scale",
    )
    slots: int = parameter(
        0,
        (0, 2, 4, 8, 16),
        "operands per buffer that stay until a host replaces them; 0: two operands take turns",
        feature="slots",
    )

    def check(self, rows: int, columns: int, bfp: Bfp) -> None:
        """Refuse parameters that conflict with the shape of an array or with its format.

        Raises
        ------
        IllegalValue
            If a parameter conflicts; the key includes its section.
        """
        for key, vectors, side, layout in (("rows", rows, "a", bfp.layout_a), ("columns", columns, "b", bfp.layout_b)):
            most = MOST_BUFFER_BITS // layout.size
            if vectors > most:
                chunk = f"bfp.lanes = {bfp.lanes} and bfp.chunk_{side} = {layout.chunk}: chunks of {layout.size} bits"
                legal = f"from 1 to {most} ({chunk}, a buffer's output at most {MOST_BUFFER_BITS:,})"
                raise IllegalValue(f"array.{key}", legal, vectors)
        if bfp.lanes % self.input_width:
            divisors = [width for width in (1, 2, 4, 8, 16) if bfp.lanes % width == 0]
            legal = f"a divisor of bfp.lanes = {bfp.lanes}: {legal_text(divisors)}"
            raise IllegalValue("engine.input_width", legal, self.input_width)
        if self.column_scale:
            raise IllegalValue("engine.column_scale", "False for array.element = fmac", True)
        self._check_results(rows, columns, bfp, "bfp.max_k of one pass")
        self.source(bfp.lanes)

    def check_integers(self, rows: int, columns: int, element: str, terms: Terms) -> None:
        """Refuse parameters of an engine of integers that conflict with its array or with its format.

        Raises
        ------
        IllegalValue
            If a parameter conflicts; the key includes its section.
        """
        # A buffer's output has at most 512 vectors of 8 integers of 16 bits: MOST_BUFFER_BITS.
        values = terms.values if element == "tmac" else 1
        if terms.group % values:
            divisors = [n for n in (1, 2, 4, 8) if terms.group % n == 0]
            legal = f"{legal_text(divisors)} (divisors of terms.group = {terms.group})"
            raise IllegalValue("terms.values", legal, terms.values)
        least = -(-values // PackedIntegers(width=terms.width).per_word)
        if self.input_width < least:
            integers = f"terms.values = {values} integers of terms.width = {terms.width} per beat"
            raise IllegalValue("engine.input_width", f"{least} or more ({integers})", self.input_width)
        self._check_results(rows, columns, integer_format(element, terms), "terms.max_k of one pass")

    def _check_results(self, rows: int, columns: int, format: Accumulated, max_k: str) -> None:
        """Refuse parameters that conflict with the results."""
        check_lanes("engine.output_width", self.output_width, columns, "array.columns")
        if self.sum_rows and self.sum_max_k < format.max_k:
            legal = f"{format.max_k} or more (the {max_k})"
            raise IllegalValue("engine.sum_max_k", legal, self.sum_max_k)
        down, across = self.sum_tiles(rows, columns)
        width = self.sum_width(format)
        most = MOST_SUM_BITS // (rows * across * columns * width) if across else 0
        if down > most:
            because = f"a memory has at most {MOST_SUM_BITS:,} bits, {width} per sum of {across} × {columns} columns"
            raise IllegalValue("engine.sum_rows", f"from 0 to {most * rows} ({because})", self.sum_rows)

    def sum_width(self, format: Accumulated) -> int:
        """Return the bits of a sum of ``sum_max_k`` elements."""
        return attrs.evolve(format, max_k=self.sum_max_k).accumulator

    def sum_tiles(self, rows: int, columns: int) -> tuple[int, int]:
        """Return how many tiles of ``rows`` × ``columns`` the sums on chip have, down and across; (0, 0) without."""
        if not self.sum_rows:
            return 0, 0
        return -(-self.sum_rows // rows), -(-self.sum_columns // columns)

    @property
    def banks(self) -> int:
        """Operands that a buffer stores."""
        return self.slots or 2

    @property
    def finishes(self) -> bool:
        """Whether an `OutputStage` follows the results."""
        return self.post_operations or self.packed_results or self.column_scale

    @property
    def takes_addends(self) -> bool:
        """Whether the engine has the stream ``d``."""
        return self.post_operations or self.column_scale

    @property
    def random_name(self) -> str:
        """Parameters of the random words, in names of modules."""
        return f"{self.random_bits}_{self.lfsr_bits}" + "_plateau" * self.random_plateau

    def bias_tiles(self, columns: int) -> int:
        """Return how many tiles of ``columns`` columns a column bias may have: ``buffer_depth`` numbers or one tile."""
        return max(self.buffer_depth // columns, 1)

    def source(self, lanes: int) -> RandomSourceParams:
        """Return the parameters of the random source for converters of ``lanes`` lanes.

        Raises
        ------
        IllegalValue
            If the generator is too short for a random word or for the lanes.
        """
        least = next(bits for bits in range(self.random_bits, 33) if 2 * (2**bits - 1) >= lanes)
        if self.lfsr_bits < least:
            because = f"random_bits = {self.random_bits} or more; one state serves two of bfp.lanes = {lanes}"
            raise IllegalValue("engine.lfsr_bits", f"from {least} to 32 ({because})", self.lfsr_bits)
        return RandomSourceParams(
            bits=self.lfsr_bits,
            width=self.random_bits,
            polarity="space",
            lanes=lanes,
            rows=True,
            plateau=self.random_plateau and self.random_bits > 1,  # two words that are half as frequent are equally so
        )


def integer_format(element: str, terms: Terms) -> Terms | PmacParams:
    """Return the format that sizes the accumulator of an element of integers: ``tmac`` or ``pmac``."""
    return terms if element == "tmac" else PmacParams(width=terms.width, max_k=terms.max_k)
