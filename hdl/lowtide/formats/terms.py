"""Terms: integers as sums of signed powers of two, and layouts of groups of terms."""

import attrs
from amaranth.hdl import signed
from amaranth.lib import data

from lowtide.formats.parameter import IllegalValue, legal_text, parameter

__all__ = ["ENCODINGS", "TermLayout", "Terms", "digits_of_integer", "terms_of_integer"]

ENCODINGS = ("binary", "booth", "hese")


def digits_of_integer(width: int, encoding: str) -> int:
    """Return the digits of integers of ``width`` bits: one per bit, since the most negative integer is a single term.

    Booth's encoding works on pairs of bits. For an even width it splits that integer into two terms,
    ``2**width - 2**(width - 1)``, and so needs one digit more.
    """
    return width + (encoding == "booth" and width % 2 == 0)


def terms_of_integer(width: int, encoding: str) -> int:
    """Return the maximum number of terms of an integer of ``width`` bits."""
    if encoding == "binary":
        return width - 1
    return max((width + 1) // 2, 1 + (encoding == "booth"))


@attrs.frozen(kw_only=True)
class Terms:
    """Terms: parameters of hardware for term revealing.

    A ``width``-bit integer in two's complement is its sign times the digits of its magnitude, each -1, 0 or +1. A
    nonzero digit is a term, ``+-2**i``. Weights form groups along the reduction, and each group keeps its largest
    ``k`` terms. Each value of the data keeps its largest ``s`` terms.

    Parameters
    ----------
    width : int
        Width of an integer in bits.
    encoding : str
        Encoding of a magnitude into digits: ``binary``, radix-4 ``booth``, or ``hese``, which has the fewest terms.
    group : int
        Maximum values per group, ``g``.
    budget : int
        Maximum terms kept per group, ``k``.
    data_terms : int
        Maximum terms kept per value of the data, ``s``.
    parallel : int
        Terms per processing element and cycle.
    values : int
        Values of a group per row and cycle: a group of ``g`` takes ``max(k / parallel, g / values)`` cycles, rounded
        up.
    max_k : int
        Maximum length of the reduction.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    width: int = parameter(8, range(2, 17), "width of an integer in bits, two's complement")
    encoding: str = parameter("hese", ENCODINGS, "encoding of a magnitude into digits")
    group: int = parameter(8, range(1, 65), "maximum values per group, g")
    budget: int = parameter(16, range(1, 1025), "maximum terms kept per group, k, at most what a group has")
    data_terms: int = parameter(4, range(1, 17), "maximum terms kept per data value, s, at most what a value has")
    parallel: int = parameter(1, range(1, 17), "terms per element and cycle, 1 where array.operands are integers")
    values: int = parameter(1, (1, 2, 4, 8), "values of a group per row and cycle, at most group")
    max_k: int = parameter(4096, range(1, 2**20 + 1), "maximum length of the reduction")

    def __attrs_post_init__(self):
        if self.values > self.group:
            legal = [values for values in (1, 2, 4, 8) if values <= self.group]
            raise IllegalValue("values", f"{legal_text(legal)} (at most group = {self.group})", self.values)
        for key, most, what in (
            ("budget", self.group * self.most_terms, f"group = {self.group} values"),
            ("data_terms", self.most_terms, "a value"),
        ):
            if getattr(self, key) > most:
                legal = f"from 1 to {most} (the maximum terms of {what}, width = {self.width} in {self.encoding})"
                raise IllegalValue(key, legal, getattr(self, key))

    @property
    def digits(self) -> int:
        """Digits of a magnitude; their exponents are from 0 to ``digits - 1``."""
        return digits_of_integer(self.width, self.encoding)

    @property
    def most_terms(self) -> int:
        """Maximum number of terms of a value."""
        return terms_of_integer(self.width, self.encoding)

    @property
    def max_magnitude(self) -> int:
        """Largest magnitude of a revealed value: 127 is 128 - 1, and may lose the 1."""
        return 2 ** (self.digits - 1)

    @property
    def revealed(self) -> int:
        """Width of a revealed value in two's complement, in bits."""
        return self.digits + 1

    @property
    def max_sum(self) -> int:
        """Largest magnitude that a reduction of ``max_k`` elements can reach."""
        return self.max_k * self.max_magnitude**2

    @property
    def accumulator(self) -> int:
        """Width in bits of the two's complement accumulator, which cannot overflow."""
        return self.max_sum.bit_length() + 1

    @property
    def slots(self) -> int:
        """Cycles in which the values of the largest group arrive at a row."""
        return -(-self.group // self.values)

    @property
    def layout_a(self) -> data.StructLayout:
        """Word of a row: ``values`` values of the data, for slot ``slot`` of one of two banks, or none.

        Value ``j`` of the word is value ``slot * values + j`` of the group in the bank. A word of zeros has no effect.
        """
        return data.StructLayout(
            {
                "value": data.ArrayLayout(signed(self.revealed), self.values),
                "slot": (self.slots - 1).bit_length(),
                "bank": 1,
                "write": 1,
            }
        )

    @property
    def layout_b(self) -> data.StructLayout:
        """Word of a column: ``parallel`` terms of the weights of a group, and the bank of its data."""
        return data.StructLayout({"term": data.ArrayLayout(self.layout_term, self.parallel), "bank": 1})

    @property
    def layout_term(self) -> "TermLayout":
        """Layout of a term of a weight."""
        return TermLayout(self.digits, self.group)


class TermLayout(data.StructLayout):
    """Term of a value of a group: ``(-1)**negative * 2**exponent``, or none.

    Parameters
    ----------
    digits : int
        Number of exponents, which are from 0 to ``digits - 1``.
    group : int
        Values per group.

    Members
    -------
    exponent : unsigned
        Exponent of the power of two.
    index : unsigned
        Number of the value in its group, from 0.
    negative : 1 bit
        Sign.
    nonzero : 1 bit
        1: a term. 0: none; a word of zeros has no effect.
    """

    def __init__(self, digits: int, group: int):
        super().__init__(
            {
                "exponent": (digits - 1).bit_length(),
                "index": (group - 1).bit_length(),
                "negative": 1,
                "nonzero": 1,
            }
        )
