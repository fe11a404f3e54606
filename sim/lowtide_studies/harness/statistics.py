"""Means over seeds, their standard errors, and differences between them."""

from collections.abc import Sequence

import attrs
import numpy as np

__all__ = ["Difference", "Summary"]


@attrs.frozen(kw_only=True)
class Summary:
    """Mean and spread of one value per seed.

    Parameters
    ----------
    mean : float
    error : float
        Standard error of the mean; NaN for one seed.
    lowest, highest : float
        Range of the values.
    """

    mean: float
    error: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        """Summarize, with the unbiased estimate of the variance."""
        array = np.asarray(values, np.float64)
        error = float(array.std(ddof=1) / np.sqrt(len(array))) if len(array) > 1 else float("nan")
        return cls(mean=float(array.mean()), error=error, lowest=float(array.min()), highest=float(array.max()))


@attrs.frozen(kw_only=True)
class Difference:
    """Difference of two methods, paired by seed.

    Parameters
    ----------
    mean : float
        Mean of the differences.
    error : float
        Standard error of the mean of the differences: variation that both methods share for a seed cancels.
    unpaired : float
        Standard error of the difference of the means, as if the seeds were independent.
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
        """The mean in paired standard errors; NaN if the standard error is zero and the mean is not."""
        if self.error == 0:
            return 0.0 if self.mean == 0 else float("nan")
        return self.mean / self.error

    @property
    def within_one(self) -> bool:
        """Whether the means differ by at most one paired standard error."""
        return self.mean == 0 or abs(self.mean) <= self.error
