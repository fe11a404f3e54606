"""Designs to test with."""

from collections.abc import Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from lowtide_studies.rounder_search.design import DISTRIBUTIONS, Design, maximal_taps

POLARITIES = ("plain", "inverted", "time", "space", "uniform")


def design(bits: int = 3, **changes: Any) -> Design:
    """A design, by default of all bits of the generator and for one lane."""
    standing = {
        "taps": maximal_taps(bits)[0],
        "polarity": "space",
        "width": bits,
        "lanes": 1,
        "apart": 1,
        "mode": "carry",
        "fraction": changes.get("width", bits),
    }
    return Design(bits=bits, **(standing | changes))


def random_point(generator) -> dict[str, Any]:
    """A point of the space, each of its values as likely as the others."""
    values = {name: values_of(distribution) for name, distribution in DISTRIBUTIONS.items()}
    return {name: choices[int(generator.integers(len(choices)))] for name, choices in values.items()}


def values_of(distribution: BaseDistribution) -> Sequence[Any]:
    """All values that a parameter may have."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    assert isinstance(distribution, IntDistribution)
    return range(distribution.low, distribution.high + 1)
