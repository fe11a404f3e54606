"""Models of units for groups of digits: expected digit planes, from the observed words."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lowtide_model.terms import receding_water

__all__ = ["SerializerModel", "WaterlineModel", "bits_of"]


def bits_of(word: int, count: int) -> np.ndarray:
    """Bits of an integer, the lowest first."""
    return np.array([word >> n & 1 for n in range(count)], np.int8)


def _word(nonzero: np.ndarray, negative: np.ndarray, first: bool, last: bool) -> int:
    planes = [*nonzero.tolist(), *negative.tolist(), int(first), int(last)]
    return sum(int(bit != 0) << n for n, bit in enumerate(planes))


class SerializerModel:
    """Model of the digit serializer: splits groups into digit planes, the highest exponent first.

    Parameters
    ----------
    sidecar : dict
        Sidecar of the unit.
    expect : function
        Called with each expected plane.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Callable[[int], None]):
        self.digits, self.lanes = sidecar["parameters"]["digits"], sidecar["parameters"]["lanes"]
        self.expect = expect

    def forget(self) -> None:
        """Do nothing: there is no state between groups."""

    def saw(self, data: int) -> None:
        """Record an offered group."""
        planes = bits_of(data, 2 * self.lanes * self.digits).reshape(2, self.lanes, self.digits)
        for exponent in reversed(range(self.digits)):
            nonzero, negative = planes[..., exponent]
            self.expect(_word(nonzero, negative, exponent == self.digits - 1, exponent == 0))


class WaterlineModel:
    """Model of the waterline: the golden selection, from the planes of a group so far.

    For parameters, see `SerializerModel`.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Callable[[int], None]):
        self.lanes, self.expect = sidecar["parameters"]["group"], expect
        self.forget()

    def forget(self) -> None:
        """Discard the current group."""
        self.planes: list[np.ndarray] = []
        self.budget = self.group = 0

    def saw(self, data: int, budget: int, group: int) -> None:
        """Record an accepted plane, with the settings of the same cycle."""
        bits = bits_of(data, 2 * self.lanes + 2)
        nonzero, negative, (first, last) = np.split(bits, [self.lanes, 2 * self.lanes])
        if first:
            self.planes, self.budget, self.group = [], budget, group
        self.planes.append(nonzero * (np.arange(self.lanes) < self.group))
        digits = np.stack(self.planes[::-1], axis=-1)  # this plane has the lowest exponent
        kept = receding_water(digits, self.budget, self.lanes)[:, 0]
        self.expect(_word(kept, negative, bool(first), bool(last)))
