"""Settings of an array for terms that may change while it runs."""

from amaranth.lib import data

from lowtide.formats.terms import Terms

__all__ = ["Effective", "Settings"]


class Settings(data.StructLayout):
    """What is written to the control register.

    Parameters
    ----------
    terms : Terms
        What the hardware was generated for.

    Members
    -------
    reveal : 1 bit
        Term revealing; clear, it is plain quantization: every term is kept.
    group : unsigned
        Values of a group, from 1 to ``terms.group``.
    budget : unsigned
        Terms that a group of weights keeps, up to ``terms.budget``.
    data_terms : unsigned
        Terms that a value of the data keeps, up to ``terms.data_terms``.
    """

    def __init__(self, terms: Terms):
        super().__init__(
            {
                "reveal": 1,
                "group": terms.group.bit_length(),
                "budget": terms.budget.bit_length(),
                "data_terms": terms.data_terms.bit_length(),
            }
        )


class Effective(data.StructLayout):
    """What the settings come to, with or without revealing.

    Parameters
    ----------
    terms : Terms
        What the hardware was generated for.

    Members
    -------
    group, budget, data_terms : unsigned
        As those of `Settings`; without revealing, the largest group and all terms that there can be.
    """

    def __init__(self, terms: Terms):
        super().__init__(
            {
                "group": terms.group.bit_length(),
                "budget": (terms.group * terms.most_terms).bit_length(),
                "data_terms": terms.most_terms.bit_length(),
            }
        )
