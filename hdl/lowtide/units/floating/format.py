"""Floating-point formats: bits of exponent and fraction, and the named formats."""

import attrs
from amaranth.lib import data

from lowtide.formats.parameter import parameter

__all__ = ["FORMATS", "FloatFormat"]


@attrs.frozen
class FloatFormat:
    """Floating-point format without special values.

    With sign ``s``, exponent field ``e``, and fraction ``f``, a number is ``(-1)**s * (1 + f / 2**fraction) *
    2**(e - bias)`` for every ``e`` from 1 to all ones: the format has neither infinities nor NaNs. If ``e`` is zero,
    the number is zero for any ``f``: the format has no subnormal numbers.

    Parameters
    ----------
    exponent : int
        Bits of the exponent field.
    fraction : int
        Bits of the fraction: the significand without its leading one.
    """

    exponent: int = parameter(8, range(2, 9), "bits of the exponent")
    fraction: int = parameter(23, range(1, 24), "bits of the fraction")

    @property
    def bias(self) -> int:
        """Bias: exponent field minus exponent."""
        return 2 ** (self.exponent - 1) - 1

    @property
    def width(self) -> int:
        """Bits of a number."""
        return 1 + self.exponent + self.fraction

    @property
    def layout(self) -> data.StructLayout:
        """Layout of a number."""
        return data.StructLayout({"fraction": self.fraction, "exponent": self.exponent, "sign": 1})


FORMATS = {
    "fp32": FloatFormat(8, 23),
    "bf16": FloatFormat(8, 7),
    "fp16": FloatFormat(5, 10),
    "hfp8": FloatFormat(5, 3),
    "fp8_e4m3": FloatFormat(4, 3),
    "fp8_e5m2": FloatFormat(5, 2),
    "fp6_e3m2": FloatFormat(3, 2),
    "fp6_e2m3": FloatFormat(2, 3),
    "fp4_e2m1": FloatFormat(2, 1),
}
"""Formats by name. ``hfp8`` includes the numbers of both HFP8 formats, 1-4-3 and 1-5-2 (Sun et al., NeurIPS 2019)."""
