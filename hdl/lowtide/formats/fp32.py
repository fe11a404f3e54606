"""FP32: the fields of an IEEE 754 single-precision number."""

from amaranth.lib import data

__all__ = ["BIAS", "FP32", "SPECIAL"]

BIAS = 127
"""What the exponent field of a number exceeds its exponent by."""

SPECIAL = 255
"""Exponent field of infinities, whose fraction is zero, and of NaNs."""

FP32 = data.StructLayout({"fraction": 23, "exponent": 8, "sign": 1})
"""Layout of a number: ``(-1)**sign * (1 + fraction / 2**23) * 2**(exponent - BIAS)``.

An exponent field of 0 stands for zeros and subnormal numbers, one of ``SPECIAL`` for infinities and NaNs.
"""
