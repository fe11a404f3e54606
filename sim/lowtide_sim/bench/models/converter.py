"""Model of a converter: expected groups, from the observed numbers and random words."""

from collections import deque
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from lowtide_model import GivenWords, quantize

__all__ = ["Answer", "ConverterModel"]


@attrs.frozen
class Answer:
    """Output of a converter for a group: payload and status ports."""

    payload: int
    saturated_group: int
    saturated_elements: int
    nonfinite_group: int


class ConverterModel:
    """The golden converter, group by group, with groups and random words in order of arrival.

    Parameters
    ----------
    sidecar : dict
        Sidecar of the converter.
    expect : function
        Called with each expected `Answer`.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Callable[[Answer], None]):
        self.format, self.expect = sidecar["parameters"], expect
        self.serial = sidecar["top"].startswith("serial")
        self.lanes, self.bits = self.format["lanes"], self.format["random"]
        self.stochastic = self.format["rounding"] in ("carry", "half_step")
        self.reset()

    def reset(self) -> None:
        """Clear the state, as a reset of the converter does."""
        self.numbers: list[int] = []
        self.words: deque[tuple[int, bool]] = deque()
        self.groups: deque[tuple[list[int], bool, int, int]] = deque()

    def saw_input(self, data: int, bias: int, chunks: int) -> None:
        """Record an accepted group or number, with its settings."""
        width = 32 if self.serial else 32 * self.lanes
        last = bool(data >> width)
        self.numbers += [data >> shift & 0xFFFFFFFF for shift in range(0, width, 32)]
        if last or len(self.numbers) == self.lanes:
            self.numbers += [0] * (self.lanes - len(self.numbers))
            self.groups.append((self.numbers, last, bias, chunks))
            self.numbers = []
        self._answer()

    def saw_step(self, data: int, row: bool) -> None:
        """Record used random words, and whether they end a row."""
        each = [data] if self.serial else [data >> lane * self.bits & 2**self.bits - 1 for lane in range(self.lanes)]
        self.words += [(word, row) for word in each]
        self._answer()

    def _answer(self) -> None:
        needed = self.lanes if self.stochastic else 0
        while self.groups and len(self.words) >= needed:
            words = [self.words.popleft() for _ in range(needed)]
            numbers, last, bias, chunks = self.groups.popleft()
            rows = [row for _, row in words]
            ends = [last and (lane == self.lanes - 1 or not self.serial) for lane in range(needed)]
            if rows != ends:
                raise AssertionError(f"row is {rows} for the random words of a group, not {ends}")
            self.expect(self._converted(numbers, [word for word, _ in words], last, bias, chunks))

    def _converted(self, numbers: list[int], words: list[int], last: bool, bias: int, chunks: int) -> Answer:
        rounding = self.format["rounding"]
        m = self.format["mantissa"]
        tensor = quantize(
            np.array(numbers, np.uint32).view(np.float32),
            mantissa=chunks * self.format["chunk"],
            exponent=self.format["exponent"],
            group=self.lanes,
            bias=bias,
            rounding=GivenWords(mode=rounding, bits=self.bits, words=words) if self.stochastic else rounding,
            nonfinite="saturate",
        )
        payload = (last << self.format["exponent"] | int(tensor.codes[0])) << self.lanes * (m + 1)
        for lane, value in enumerate(tensor.signed.tolist()):
            payload |= (abs(value) | (value < 0) << m) << lane * (m + 1)
        return Answer(payload, tensor.saturated_groups, tensor.saturated_elements, int(tensor.nonfinite_elements > 0))
