"""Run-time settings of a term array."""

from amaranth.lib import data

from lowtide.formats.terms import Terms

__all__ = ["Effective", "Settings"]


class Settings(data.StructLayout):
    """Content of the control register.

    Parameters
    ----------
    terms : Terms
        Parameters of the hardware.

    Members
    -------
    reveal : 1 bit
        1: term revealing. 0: plain quantization, which keeps every term.
    group : unsigned
        Values per group, from 1 to ``terms.group``.
    budget : unsigned
        Terms kept per group of weights, at most ``terms.budget``.
    data_terms : unsigned
        Terms kept per value of the data, at most ``terms.data_terms``.

    Attributes
    ----------
    legal : dict of str to range
        Legal values of each member.
    """

    def __init__(self, terms: Terms):
        self.legal = {
            "reveal": range(2),
            "group": range(1, terms.group + 1),
            "budget": range(terms.budget + 1),
            "data_terms": range(terms.data_terms + 1),
        }
        super().__init__(
            {
                "reveal": 1,
                "group": terms.group.bit_length(),
                "budget": terms.budget.bit_length(),
                "data_terms": terms.data_terms.bit_length(),
            }
        )


class Effective(data.StructLayout):
    """Effective settings, with or without revealing.

    Parameters
    ----------
    terms : Terms
        Parameters of the hardware.

    Members
    -------
    group, budget, data_terms : unsigned
        The fields of `Settings`; without revealing, the largest group and the maximum number of terms.
    """

    def __init__(self, terms: Terms):
        super().__init__(
            {
                "group": terms.group.bit_length(),
                "budget": (terms.group * terms.most_terms).bit_length(),
                "data_terms": terms.most_terms.bit_length(),
            }
        )
