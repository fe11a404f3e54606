"""What units that handle groups of digits must answer, from the words that were seen to enter them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lowtide_model.terms import receding_water

__all__ = ["SerializerModel", "WaterlineModel", "bits_of"]


def bits_of(word: int, count: int) -> np.ndarray:
    """Bits of an integer, the lowest first."""
    return np.array([word >> n & 1 for n in range(count)], np.int8)


def _word(nonzero: np.ndarray, negative: np.ndarray, first: bool, last: bool) -> int:
    """A line as it is on a stream."""
    planes = [*nonzero.tolist(), *negative.tolist(), int(first), int(last)]
    return sum(int(bit != 0) << n for n, bit in enumerate(planes))


class SerializerModel:
    """Groups taken apart, the highest exponent first.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the serializer.
    expect : function
        Called with each line that is due.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Callable[[int], None]):
        self.digits, self.lanes = sidecar["parameters"]["digits"], sidecar["parameters"]["lanes"]
        self.expect = expect

    def forget(self) -> None:
        """Nothing is kept from one group to the next."""

    def saw(self, data: int) -> None:
        """A group is offered."""
        planes = bits_of(data, 2 * self.lanes * self.digits).reshape(2, self.lanes, self.digits)
        for exponent in reversed(range(self.digits)):
            nonzero, negative = planes[..., exponent]
            self.expect(_word(nonzero, negative, exponent == self.digits - 1, exponent == 0))


class WaterlineModel:
    """The golden selection, of the lines of a group so far.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the waterline.
    expect : function
        Called with each line that is due.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Callable[[int], None]):
        self.lanes, self.expect = sidecar["parameters"]["group"], expect
        self.forget()

    def forget(self) -> None:
        """No group has begun."""
        self.lines: list[np.ndarray] = []
        self.budget = self.group = 0

    def saw(self, data: int, budget: int, group: int) -> None:
        """A line was taken, while the settings were these."""
        bits = bits_of(data, 2 * self.lanes + 2)
        nonzero, negative, (first, last) = np.split(bits, [self.lanes, 2 * self.lanes])
        if first:
            self.lines, self.budget, self.group = [], budget, group
        self.lines.append(nonzero * (np.arange(self.lanes) < self.group))
        digits = np.stack(self.lines[::-1], axis=-1)  # this line is the lowest exponent
        kept = receding_water(digits, self.budget, self.lanes)[:, 0]
        self.expect(_word(kept, negative, bool(first), bool(last)))
