"""Beats: payloads of the operand and result streams."""

from amaranth.lib import data

from lowtide.formats.fp32 import FP32

__all__ = ["fp32_beat", "word_beat"]


def word_beat(width: int) -> data.StructLayout:
    """Return the layout of a beat with one word per row or column; ``last`` ends a tile."""
    return data.StructLayout({"data": width, "last": 1})


def fp32_beat(numbers: int) -> data.StructLayout:
    """Return the layout of a beat of FP32 numbers; ``last`` ends an operand, a product, or a row of the stream."""
    return data.StructLayout({"number": data.ArrayLayout(FP32, numbers), "last": 1})
