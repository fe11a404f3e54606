"""Settings of term revealing, and the grid of the study."""

from collections.abc import Iterator, Sequence

import attrs

from lowtide.formats.parameter import parameter
from lowtide.formats.terms import ENCODINGS

__all__ = ["BUDGETS", "DATA_TERMS", "GROUPS", "Setting", "settings"]

GROUPS = (1, 2, 4, 8, 16, 32)
"""``g`` of a study."""

BUDGETS = (0.25, 0.5, 0.75, 1, 1.125, 1.25, 1.375, 1.5, 1.75, 2, 2.5, 3, 4)
"""``k / g`` of a study, for integer ``k``."""

DATA_TERMS = (1, 2, 3, 4)
"""``s`` of a study."""


@attrs.frozen(kw_only=True, order=True)
class Setting:
    """Parameters of term revealing.

    Parameters
    ----------
    encoding : str
        Digits of magnitudes, of weights and data.
    group, budget : int
        Weights per group along the reduction, ``g``, and kept terms per group, ``k``.
    data_terms : int
        Kept terms per value of the data, ``s``.
    """

    encoding: str = parameter("hese", ENCODINGS, "digits of a magnitude")
    group: int = parameter(8, range(1, 65), "values of a group, g")
    budget: int = parameter(16, range(1, 1025), "terms per group, k")
    data_terms: int = parameter(4, range(1, 17), "terms a value of the data keeps, s")

    @property
    def cycles(self) -> float:
        """Cycles per product, ``k / g``, of an element that takes one term of a weight per cycle."""
        return self.budget / self.group

    @property
    def bound(self) -> float:
        """Upper bound of pairs per product, ``k * s / g``: cycles of an element that takes one pair per cycle."""
        return self.cycles * self.data_terms

    def __str__(self) -> str:
        return f"{self.encoding} g={self.group} k={self.budget} s={self.data_terms}"


def settings(
    encodings: Sequence[str] = ENCODINGS,
    groups: Sequence[int] = GROUPS,
    budgets: Sequence[float] = BUDGETS,
    data_terms: Sequence[int] = DATA_TERMS,
) -> Iterator[Setting]:
    """All combinations; settings with equal weights are in sequence."""
    for encoding in encodings:
        for group in groups:
            for budget in budgets:
                if budget * group == int(budget * group):
                    for terms in data_terms:
                        yield Setting(encoding=encoding, group=group, budget=int(budget * group), data_terms=terms)
