"""Terms: integers as signed powers of two, and how groups of them travel to a processing element."""

import attrs
from amaranth.hdl import signed
from amaranth.lib import data

from lowtide.formats.parameter import IllegalValue, legal_text, parameter

__all__ = ["ENCODINGS", "TermLayout", "Terms", "digits_of_integer", "terms_of_integer"]

ENCODINGS = ("binary", "booth", "hese")


def digits_of_integer(width: int, encoding: str) -> int:
    """Digits that integers of ``width`` bits need: as many as bits, since the most negative one is a single term.

    Booth's encoding, by pairs of bits, makes two of it where the width is even: ``2**width - 2**(width - 1)``.
    """
    return width + (encoding == "booth" and width % 2 == 0)


def terms_of_integer(width: int, encoding: str) -> int:
    """Most terms of an integer of ``width`` bits."""
    if encoding == "binary":
        return width - 1
    return max((width + 1) // 2, 1 + (encoding == "booth"))


@attrs.frozen(kw_only=True)
class Terms:
    """What hardware for terms is generated for.

    An integer of ``width`` bits in two's complement is its sign times the digits of its magnitude, each -1, 0 or +1.
    A digit that is not zero is a term, ``+-2**i``. Weights come in groups along the reduction, of which each keeps
    its largest ``k`` terms; data keep the largest ``s`` of each value.

    Parameters
    ----------
    width : int
        Bits of an integer.
    encoding : str
        Digits of a magnitude: ``binary``, radix-4 ``booth`` or ``hese``, which has the fewest terms.
    group : int
        Values of a group, ``g``, at most.
    budget : int
        Terms that a group may keep, ``k``, at most.
    data_terms : int
        Terms that a value of the data may keep, ``s``, at most.
    parallel : int
        Terms that a processing element takes in a cycle.
    values : int
        Values of a group that a row gets in a cycle, so that a group of ``g`` takes ``max(k / parallel, g / values)``
        cycles, rounded up.
    max_k : int
        Longest reduction that the accumulator holds.

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
            raise IllegalValue("values", f"{legal_text(legal)} (no more than group = {self.group})", self.values)
        for key, most, what in (
            ("budget", self.group * self.most_terms, f"group = {self.group} values have"),
            ("data_terms", self.most_terms, "a value has"),
        ):
            if getattr(self, key) > most:
                legal = f"from 1 to {most} (what {what} at most, of width = {self.width} in {self.encoding})"
                raise IllegalValue(key, legal, getattr(self, key))

    @property
    def digits(self) -> int:
        """Digits of a magnitude; their exponents are from 0 to one less."""
        return digits_of_integer(self.width, self.encoding)

    @property
    def most_terms(self) -> int:
        """Most terms of a value."""
        return terms_of_integer(self.width, self.encoding)

    @property
    def max_magnitude(self) -> int:
        """Largest magnitude of what is left of a value: 127 is 128 - 1, and may lose the 1."""
        return 2 ** (self.digits - 1)

    @property
    def revealed(self) -> int:
        """Bits of what is left of a value, in two's complement."""
        return self.digits + 1

    @property
    def max_sum(self) -> int:
        """Largest magnitude that a reduction of ``max_k`` elements can reach."""
        return self.max_k * self.max_magnitude**2

    @property
    def accumulator(self) -> int:
        """Bits of the two's complement accumulator, which therefore cannot overflow."""
        return self.max_sum.bit_length() + 1

    @property
    def slots(self) -> int:
        """Cycles in which the values of the largest group come to a row."""
        return -(-self.group // self.values)

    @property
    def layout_a(self) -> data.StructLayout:
        """What a row gets in a cycle: ``values`` values of the data, for slot ``slot`` of one of two banks, or none.

        Value ``j`` of it is value ``slot * values + j`` of the group that the bank holds. Of a word of zeros nothing
        comes.
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
        """What a column gets in a cycle: ``parallel`` terms of the weights of a group, and the bank its data are in."""
        return data.StructLayout({"term": data.ArrayLayout(self.layout_term, self.parallel), "bank": 1})

    @property
    def layout_term(self) -> "TermLayout":
        """Layout of a weight's term."""
        return TermLayout(self.digits, self.group)


class TermLayout(data.StructLayout):
    """A term of one of the values of a group: ``(-1)**negative * 2**exponent``, or none.

    Parameters
    ----------
    digits : int
        Exponents are from 0 to one less.
    group : int
        Values of a group.

    Members
    -------
    exponent : unsigned
        The power of two.
    index : unsigned
        Which value of the group it belongs to, from 0.
    negative : 1 bit
        Its sign.
    nonzero : 1 bit
        There is a term; of a word of zeros nothing comes.
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
