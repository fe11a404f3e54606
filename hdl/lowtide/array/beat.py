"""A beat: what the array's streams carry in a cycle."""

from amaranth.lib import data

__all__ = ["beat_layout"]


def beat_layout(width: int) -> data.StructLayout:
    """A word for each row or column, and whether the tile ends with this beat."""
    return data.StructLayout({"data": width, "last": 1})
