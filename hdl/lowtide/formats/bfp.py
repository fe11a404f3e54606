"""Block floating point: format of the operands and layout of their chunks."""

from math import lcm

import attrs
from amaranth.lib import data

from lowtide.formats.parameter import IllegalValue, parameter

__all__ = ["CHUNKS", "FACTOR_BITS", "Bfp", "ChunkLayout", "ChunksLayout", "aligner_step"]

MOST_MANTISSA = 12
"""Most magnitude bits of an operand."""

CHUNKS = (1, 2, 3, 4, 6, 8)
"""Legal widths of a chunk in bits."""

FACTOR_BITS = 18
"""Bits of a factor of an ECP5's DSP block."""


def aligner_step(max_shift: int) -> int:
    """Return the distance of the places of a DSP block's factor that is a power of two, 1 or at least 4.

    All shifts of up to 17 have a place. Otherwise the places are multiples of the step up to 16, and the other factor
    takes the rest of the shift, which is less than the step. Steps of 2 take more look-up tables than steps of 4.
    """
    if max_shift < FACTOR_BITS:
        return 1
    return max(4, 1 << (max_shift - 16).bit_length())


@attrs.frozen(kw_only=True)
class Bfp:
    """Block floating point: format of the operands of a processing element.

    An operand of ``m`` magnitude bits is ``(-1)**s * M * 2**(E + B - (m - 1))``. Each element has its own sign ``s``
    and magnitude ``M``, its group shares the exponent code ``E``, and its tensor shares the bias ``B``. The operand is
    streamed as ``m / w`` chunks of ``w`` bits. Chunk ``j``, the most significant being 0, is a ``w``-bit group of its
    own, with the code ``E + w * (chunks below j)``. So the number of chunks sets the precision, and hardware knows
    only ``w``.

    Parameters
    ----------
    lanes : int
        Products per processing element and cycle: the size of a group, or a divisor of it.
    chunk_a, chunk_b : int
        Width of a chunk of A and of B in bits, ``w``.
    mantissa : int
        Maximum magnitude bits of either operand, a multiple of both chunks.
    exponent : int
        Width of the exponent code of a group in bits, ``e``.
    max_k : int
        Maximum length of the reduction.
    adder_levels : int
        Levels of adders per register of the processing element. More levels save flip-flops and lower the clock
        frequency; they change no result. The largest number puts all levels of any dot product into one cycle.
    multiplier : str
        Implementation of a lane's product. ``logic``: partial products in look-up tables. ``inferred``: a product that
        synthesis may map to a DSP block. ``ecp5``: a product for a DSP block of an ECP5, smaller there.
    dsp_lanes : str
        ``all``: all lanes multiply with this multiplier. ``half``: the other half of the lanes, at least four,
        multiplies in look-up tables.
    aligner : str
        Implementation of the shift to the exponent. ``logic``: look-up tables and registers. ``ecp5``: a DSP block of
        an ECP5 multiplies by a power of two.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, no mantissa is a multiple of both chunks, ``mantissa`` is not,
        half of ``lanes`` is less than four, or the dot product exceeds the DSP block of its aligner.
    """

    lanes: int = parameter(16, (4, 8, 16, 32, 64), "products per processing element and cycle")
    chunk_a: int = parameter(2, CHUNKS, "width of a chunk of A in bits")
    chunk_b: int = parameter(2, CHUNKS, "width of a chunk of B in bits")
    mantissa: int = parameter(4, range(1, MOST_MANTISSA + 1), "maximum magnitude bits, a multiple of both chunks")
    exponent: int = parameter(
        3,
        range(1, 6),
        "width of the shared exponent code in bits",
        because="the exact accumulator nearly doubles with each bit",
    )
    max_k: int = parameter(4096, range(1, 2**20 + 1), "maximum length of the reduction")
    adder_levels: int = parameter(
        1, range(1, 15), "levels of adders per register of the processing element", internal=True
    )
    multiplier: str = parameter(
        "logic", ("logic", "inferred", "ecp5"), "implementation of a lane's product", internal=True
    )
    dsp_lanes: str = parameter(
        "all", ("all", "half"), "lanes with this multiplier; the others have logic", internal=True
    )
    aligner: str = parameter("logic", ("logic", "ecp5"), "implementation of the shift to the exponent", internal=True)

    def __attrs_post_init__(self):
        step = lcm(self.chunk_a, self.chunk_b)
        if step > MOST_MANTISSA:
            widths = ", ".join(str(w) for w in CHUNKS if lcm(self.chunk_a, w) <= MOST_MANTISSA)
            because = f"mantissa is at most {MOST_MANTISSA}, a multiple of chunk_b and chunk_a = {self.chunk_a}"
            raise IllegalValue("chunk_b", f"one of {widths} ({because})", self.chunk_b)
        if self.mantissa % step:
            multiples = ", ".join(str(m) for m in range(step, MOST_MANTISSA + 1, step))
            chunks = f"chunk_a = {self.chunk_a} and chunk_b = {self.chunk_b}"
            raise IllegalValue("mantissa", f"a multiple of {chunks}: one of {multiples}", self.mantissa)
        if self.dsp_lanes == "half" and self.lanes < 8:
            raise IllegalValue("dsp_lanes", f"all (half of lanes = {self.lanes} is less than four)", self.dsp_lanes)
        if self.aligner == "ecp5" and self.dot_product + aligner_step(self.max_shift) - 1 > FACTOR_BITS:
            word = f"a dot product of {self.dot_product} bits, shifted by up to {self.max_shift},"
            raise IllegalValue("aligner", f"logic ({word} exceeds a DSP block)", self.aligner)

    @property
    def max_code_a(self) -> int:
        """Largest exponent code of a chunk of A."""
        return self._max_code(self.chunk_a)

    @property
    def max_code_b(self) -> int:
        """Largest exponent code of a chunk of B."""
        return self._max_code(self.chunk_b)

    def _max_code(self, chunk: int) -> int:
        return 2**self.exponent - 1 + self.mantissa - chunk

    @property
    def dot_product(self) -> int:
        """Width in bits of a beat's dot product, in two's complement."""
        return (self.lanes * (2**self.chunk_a - 1) * (2**self.chunk_b - 1)).bit_length() + 1

    @property
    def max_shift(self) -> int:
        """Largest shift of a dot product to its exponent."""
        return self.max_code_a + self.max_code_b

    @property
    def layout_a(self) -> "ChunkLayout":
        """Layout of a chunk of A."""
        return ChunkLayout(self.lanes, self.chunk_a, self.max_code_a)

    @property
    def layout_b(self) -> "ChunkLayout":
        """Layout of a chunk of B."""
        return ChunkLayout(self.lanes, self.chunk_b, self.max_code_b)

    @property
    def max_product(self) -> int:
        """Largest magnitude of a product of two elements, in units of the accumulator's LSB."""
        return (2**self.mantissa - 1) ** 2 * 4 ** (2**self.exponent - 1)

    @property
    def max_sum(self) -> int:
        """Largest magnitude of a reduction of ``max_k`` elements, in units of the accumulator's LSB."""
        return self.max_k * self.max_product

    @property
    def accumulator(self) -> int:
        """Width in bits of the two's complement accumulator, which cannot overflow."""
        return self.max_sum.bit_length() + 1


class ChunkLayout(data.StructLayout):
    """One chunk of a group: a sign and a magnitude per lane, and one exponent code.

    Lane ``i`` represents ``(-1)**sign * magnitude * 2**exponent``, in units of the tensor's constant. A zero may have
    either sign.

    Parameters
    ----------
    lanes : int
        Elements per group.
    chunk : int
        Width of a magnitude in bits.
    max_code : int
        Largest exponent code.

    Members
    -------
    lane : lanes times {magnitude: chunk bits, sign: 1 bit}
        Elements, the first in the lowest bits.
    exponent : unsigned
        Exponent code.
    """

    def __init__(self, lanes: int, chunk: int, max_code: int):
        lane = data.StructLayout({"magnitude": chunk, "sign": 1})
        super().__init__({"lane": data.ArrayLayout(lane, lanes), "exponent": max_code.bit_length()})
        self.chunk, self.max_code = chunk, max_code

    @property
    def lanes(self) -> int:
        """Elements of the group."""
        return self["lane"].shape.length


class ChunksLayout(data.StructLayout):
    """Chunks that move in one cycle.

    Parameters
    ----------
    chunk : ChunkLayout
        Layout of a chunk.
    parallel : int
        Maximum number of chunks.

    Members
    -------
    chunk : parallel times chunk
        Chunks, the first in the lowest bits; chunks from ``count`` on are undefined.
    count : range(parallel + 1)
        Number of chunks, at least 1.
    last : 1 bit
        Whether the last chunk of a vector is among the chunks.
    """

    def __init__(self, chunk: ChunkLayout, parallel: int):
        super().__init__({"chunk": data.ArrayLayout(chunk, parallel), "count": range(parallel + 1), "last": 1})
