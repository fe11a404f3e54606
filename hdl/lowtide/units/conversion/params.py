"""What a converter to block floating point is generated for."""

import attrs
from amaranth.hdl import Shape
from amaranth.lib import data

from lowtide.formats.bfp import ChunkLayout
from lowtide.formats.fp32 import FP32
from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.units.rounding.params import MODES, RounderParams

__all__ = ["ConverterParams"]


@attrs.frozen(kw_only=True)
class ConverterParams:
    """What a converter to block floating point is generated for.

    Parameters
    ----------
    lanes : int
        Elements of a group.
    mantissa : int
        Most magnitude bits, a multiple of the chunk.
    chunk : int
        Bits of a chunk, ``w``: a tensor has ``w`` magnitude bits, or twice as many, and so on up to ``mantissa``.
    exponent : int
        Bits of a group's exponent code, ``e``.
    rounding : str
        As the mode of a rounder.
    random : int
        Bits of a random word, ``r``; for ``half_step`` 23 at most. Ignored by roundings that take no word.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, ``mantissa`` is no multiple of the chunk, or a half step has no bit.
    """

    lanes: int = parameter(16, range(1, 65), "elements of a group")
    mantissa: int = parameter(4, range(1, 13), "most magnitude bits, a multiple of the chunk")
    chunk: int = parameter(2, range(1, 5), "bits of a chunk")
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
        """All parameters, for the name of a module."""
        words = f"_r{self.random}" if self.stochastic else ""
        return f"l{self.lanes}_m{self.mantissa}_w{self.chunk}_e{self.exponent}_{self.rounding}{words}"

    @property
    def stochastic(self) -> bool:
        """Whether it takes random words."""
        return self.rounding in ("carry", "half_step")

    @property
    def max_chunks(self) -> int:
        """Most chunks of a magnitude."""
        return self.mantissa // self.chunk

    @property
    def max_code(self) -> int:
        """Largest exponent code of a group."""
        return 2**self.exponent - 1

    @property
    def dropped(self) -> int:
        """Bits below the last of a magnitude that decide on its rounding; where it is `sticky` the lowest is."""
        stochastic = {"carry": self.random, "half_step": self.random + 1}
        return {"truncate": 0, "nearest": 1, "nearest_even": 2, **stochastic}[self.rounding]

    @property
    def sticky(self) -> bool:
        """Whether the lowest of these bits is set once any bit below it is: ties to even must be told from more."""
        return self.rounding == "nearest_even"

    @property
    def significand(self) -> int:
        """Bits of a significand that are kept: those of a magnitude, and those that decide on its rounding."""
        return self.mantissa + self.dropped

    @property
    def fraction(self) -> int:
        """Bits of it without the first, which is always one; a bit at least, so that there is a port."""
        return max(self.significand - 1, 1)

    @property
    def depth(self) -> int:
        """Bits of a depth, the distance of an exponent from the window's top.

        All ones mean nothing: from there every bit of a significand is shifted out, whatever the group's code.
        """
        return (self.max_code + self.significand).bit_length()

    @property
    def top_depth(self) -> Shape:
        """Shape of the depth of a number whose first bit is the highest of ``mantissa``, in a group of any code.

        It is negative if magnitudes have fewer bits: such a number would be too large for them.
        """
        return Shape.cast(range(self.chunk - self.mantissa, self.max_code + 1))

    @property
    def rounder(self) -> RounderParams:
        """Shape of a lane's rounder; truncation is given a fraction of zero."""
        return RounderParams(mode=self.rounding, width=self.mantissa, fraction=max(self.dropped, 1), random=self.random)

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of a group of numbers, and whether the tensor's row ends with it."""
        return data.StructLayout({"lane": data.ArrayLayout(FP32, self.lanes), "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a converted group: as a single chunk of ``mantissa`` bits, and ``last`` as it came."""
        return data.StructLayout({"group": ChunkLayout(self.lanes, self.mantissa, self.max_code), "last": 1})

    @property
    def layout_chunk(self) -> ChunkLayout:
        """Layout of a chunk of a group."""
        return ChunkLayout(self.lanes, self.chunk, self.max_code + self.mantissa - self.chunk)
