"""Parameters of a BFP converter."""

import attrs
from amaranth.hdl import Shape
from amaranth.lib import data

from lowtide.formats.bfp import CHUNKS, ChunkLayout
from lowtide.formats.fp32 import FP32
from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.units.rounding.params import MODES, RounderParams

__all__ = ["ConverterParams"]


@attrs.frozen(kw_only=True)
class ConverterParams:
    """Parameters of a BFP converter.

    Parameters
    ----------
    lanes : int
        Elements of a group.
    mantissa : int
        Largest number of magnitude bits, a multiple of the chunk.
    chunk : int
        Bits of a chunk, ``w``: a tensor has ``w``, ``2 w``, and so on up to ``mantissa`` magnitude bits.
    exponent : int
        Bits of a group's exponent code, ``e``.
    rounding : str
        Rounding mode, see `RounderParams`.
    random : int
        Bits of a random word, ``r``; at most 23 for ``half_step``. Ignored by deterministic modes.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, ``mantissa`` is not a multiple of ``chunk``, or ``half_step`` has no bit left.
    """

    lanes: int = parameter(16, range(1, 65), "elements of a group")
    mantissa: int = parameter(4, range(1, 13), "most magnitude bits, a multiple of the chunk")
    chunk: int = parameter(2, CHUNKS, "bits of a chunk")
    exponent: int = parameter(3, range(1, 6), "bits of the shared exponent code")
    rounding: str = parameter("nearest", MODES, "when a magnitude is rounded up")
    random: int = parameter(3, range(1, 25), "bits of a random word, for carry and half_step")

    def __attrs_post_init__(self):
        if self.mantissa % self.chunk:
            multiples = ", ".join(str(m) for m in range(self.chunk, 13, self.chunk))
            raise IllegalValue("mantissa", f"a multiple of chunk = {self.chunk}: one of {multiples}", self.mantissa)
        if self.rounding == "half_step" and self.random > 23:
            raise IllegalValue("random", "from 1 to 23 (rounding = half_step takes one bit more)", self.random)

    @property
    def name(self) -> str:
        """Parameters as a part of a module name."""
        words = f"_r{self.random}" if self.stochastic else ""
        return f"l{self.lanes}_m{self.mantissa}_w{self.chunk}_e{self.exponent}_{self.rounding}{words}"

    @property
    def stochastic(self) -> bool:
        """Whether the rounding takes random words."""
        return self.rounding in ("carry", "half_step")

    @property
    def max_chunks(self) -> int:
        """Largest number of chunks of a magnitude."""
        return self.mantissa // self.chunk

    @property
    def max_code(self) -> int:
        """Largest exponent code of a group."""
        return 2**self.exponent - 1

    @property
    def dropped(self) -> int:
        """Bits below a magnitude that decide its rounding; if `sticky`, the lowest of them is sticky."""
        stochastic = {"carry": self.random, "half_step": self.random + 1}
        return {"truncate": 0, "nearest": 1, "nearest_even": 2, **stochastic}[self.rounding]

    @property
    def sticky(self) -> bool:
        """Whether the lowest dropped bit includes all bits below it, so that rounding to even recognizes ties."""
        return self.rounding == "nearest_even"

    @property
    def significand(self) -> int:
        """Bits kept of a significand: the bits of a magnitude and the bits that decide its rounding."""
        return self.mantissa + self.dropped

    @property
    def fraction(self) -> int:
        """Bits of the significand without its leading one; at least 1, so that the port is not empty."""
        return max(self.significand - 1, 1)

    @property
    def depth(self) -> int:
        """Bits of a depth, the distance of an exponent from the window's top.

        A depth of all ones stands for zero: it shifts out every bit of a significand, for any code of the group.
        """
        return (self.max_code + self.significand).bit_length()

    @property
    def top_depth(self) -> Shape:
        """Shape of the depth of a number whose leading one is the highest bit of ``mantissa``, for any code.

        The depth is negative if magnitudes use fewer bits, for which such a number is too large.
        """
        return Shape.cast(range(self.chunk - self.mantissa, self.max_code + 1))

    @property
    def rounder(self) -> RounderParams:
        """Parameters of a lane's rounder; truncation gets a fraction of one zero bit."""
        return RounderParams(mode=self.rounding, width=self.mantissa, fraction=max(self.dropped, 1), random=self.random)

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of a group of numbers; ``last`` marks the last group of a row."""
        return data.StructLayout({"lane": data.ArrayLayout(FP32, self.lanes), "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a converted group, as a chunk of ``mantissa`` bits; ``last`` passes through."""
        return data.StructLayout({"group": ChunkLayout(self.lanes, self.mantissa, self.max_code), "last": 1})

    @property
    def layout_chunk(self) -> ChunkLayout:
        """Layout of a chunk of a group."""
        return ChunkLayout(self.lanes, self.chunk, self.max_code + self.mantissa - self.chunk)
