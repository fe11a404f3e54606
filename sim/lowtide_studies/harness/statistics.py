"""Means over seeds, and how far apart two of them are."""

from collections.abc import Sequence

import attrs
import numpy as np

__all__ = ["Difference", "Summary"]


@attrs.frozen(kw_only=True)
class Summary:
    """Values of several seeds in short.

    Parameters
    ----------
    mean : float
    error : float
        Standard error of the mean; NaN for one seed.
    lowest, highest : float
        The spread.
    """

    mean: float
    error: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        """Sum up, with the unbiased estimate of the variance."""
        array = np.asarray(values, np.float64)
        error = float(array.std(ddof=1) / np.sqrt(len(array))) if len(array) > 1 else float("nan")
        return cls(mean=float(array.mean()), error=error, lowest=float(array.min()), highest=float(array.max()))


@attrs.frozen(kw_only=True)
class Difference:
    """One rounding against another, seed by seed.

    Parameters
    ----------
    mean : float
        Of the differences.
    error : float
        Standard error of the mean of the differences: what the same seeds have in common cancels.
    unpaired : float
        Standard error of the difference of the means, as if seeds were unlike.
    """

    mean: float
    error: float
    unpaired: float

    @classmethod
    def of(cls, values: Sequence[float], others: Sequence[float]) -> "Difference":
        """``values`` minus ``others``, both in the order of seeds."""
        paired = Summary.of([value - other for value, other in zip(values, others, strict=True)])
        one, two = Summary.of(values), Summary.of(others)
        return cls(mean=paired.mean, error=paired.error, unpaired=float(np.hypot(one.error, two.error)))

    @property
    def errors(self) -> float:
        """The mean in standard errors, paired; NaN where that says nothing."""
        if self.error == 0:
            return 0.0 if self.mean == 0 else float("nan")
        return self.mean / self.error

    @property
    def within_one(self) -> bool:
        """Whether the means are at most one paired standard error apart."""
        return self.mean == 0 or abs(self.mean) <= self.error
