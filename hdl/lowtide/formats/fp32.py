"""FP32: the fields of an IEEE 754 single-precision number."""

from amaranth.lib import data

__all__ = ["BIAS", "FP32", "NAN", "SPECIAL"]

BIAS = 127
"""Exponent bias: the exponent field of a number minus its exponent."""

SPECIAL = 255
"""Exponent field of infinities, whose fraction is zero, and of NaNs."""

NAN = 0x7FC00000
"""Word of the NaN that units output."""

FP32 = data.StructLayout({"fraction": 23, "exponent": 8, "sign": 1})
"""Layout of a number: ``(-1)**sign * (1 + fraction / 2**23) * 2**(exponent - BIAS)``.

The exponent field is 0 for zeros and subnormal numbers, and ``SPECIAL`` for infinities and NaNs.
"""
