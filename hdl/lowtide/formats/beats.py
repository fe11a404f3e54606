"""Beats: what a stream carries in one cycle."""

from amaranth.lib import data

from lowtide.formats.fp32 import FP32

__all__ = ["fp32_beat", "word_beat"]


def word_beat(width: int) -> data.StructLayout:
    """A word for each row or column, and whether the tile ends with this beat."""
    return data.StructLayout({"data": width, "last": 1})


def fp32_beat(numbers: int) -> data.StructLayout:
    """A beat of numbers, and whether something ends with it: on the stream the operand, further on a run."""
    return data.StructLayout({"number": data.ArrayLayout(FP32, numbers), "last": 1})
