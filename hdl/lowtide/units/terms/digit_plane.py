"""Lines: one exponent of all values of a group, as groups travel from the highest exponent down."""

from amaranth.lib import data

__all__ = ["DigitPlaneLayout"]


class DigitPlaneLayout(data.StructLayout):
    """A digit of each value of a group, all of the same exponent.

    Parameters
    ----------
    lanes : int
        Values of a group.

    Members
    -------
    nonzero : lanes bits
        Which digits are terms, that of value 0 in the lowest bit.
    negative : lanes bits
        Which terms are negative; where there is none, anything.
    first, last : 1 bit
        The line is the group's first, of the highest exponent; its last, of exponent 0.
    """

    def __init__(self, lanes: int):
        super().__init__({"nonzero": lanes, "negative": lanes, "first": 1, "last": 1})
