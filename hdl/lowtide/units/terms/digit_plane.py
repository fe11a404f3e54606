"""Digit planes: the digits of one exponent of all values of a group."""

from amaranth.lib import data

__all__ = ["DigitPlaneLayout"]


class DigitPlaneLayout(data.StructLayout):
    """Layout of a digit plane: the digit of one exponent of each value of a group.

    Parameters
    ----------
    lanes : int
        Values of a group.

    Members
    -------
    nonzero : lanes bits
        Which digits are terms, value 0 in the lowest bit.
    negative : lanes bits
        Which terms are negative; undefined for digits that are not terms.
    first, last : 1 bit
        High with the first plane of a group, of the highest exponent; high with the last plane, of exponent 0.
    """

    def __init__(self, lanes: int):
        super().__init__({"nonzero": lanes, "negative": lanes, "first": 1, "last": 1})
