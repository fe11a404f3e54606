"""What the array must answer, from the words that were seen to enter it, in plain integers."""

from collections import deque
from collections.abc import Callable
from operator import mul
from typing import Any

__all__ = ["ArrayModel", "Word"]

Groups = list[tuple[list[int], int]]


class Word:
    """Takes the words of a stream apart, by the bit fields that the sidecar gives."""

    def __init__(self, fields: dict[str, int], lanes: int, words: int):
        self.bits, self.words = fields["bits"], words
        self.exponent_from = fields["exponent_from_bit"]
        self.mask = (1 << self.bits) - 1
        self.lane_mask = (1 << fields["lane_bits"]) - 1
        self.shifts = [lane * fields["lane_bits"] for lane in range(lanes)]
        magnitudes = (1 << fields["magnitude_bits"]) - 1
        self.values = [
            -(lane & magnitudes) if lane >> fields["sign_bit"] & 1 else lane & magnitudes
            for lane in range(self.lane_mask + 1)
        ]

    def groups(self, beat: int) -> Groups:
        """Signed values and exponent code of each word of a beat."""
        return [self._group(beat >> n * self.bits & self.mask) for n in range(self.words)]

    def _group(self, word: int) -> tuple[list[int], int]:
        values, mask = self.values, self.lane_mask
        return [values[word >> shift & mask] for shift in self.shifts], word >> self.exponent_from


class ArrayModel:
    """Sums of products of the beats of A and B, in the order in which they came.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the array.
    expect : function
        Called with each row of results that is due: its words, and whether it is the last of its tile.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Callable[[list[int], bool], None]):
        array, lanes = sidecar["configuration"]["array"], sidecar["configuration"]["bfp"]["lanes"]
        self.rows, self.columns = array["rows"], array["columns"]
        self.word_a = Word(sidecar["word_a"], lanes, self.rows)
        self.word_b = Word(sidecar["word_b"], lanes, self.columns)
        self.expect = expect
        self.reset()

    def reset(self) -> None:
        """Forget everything, as the array does."""
        self.a: deque[tuple[int, int, bool]] = deque()
        self.b: deque[tuple[int, int, bool]] = deque()
        self.misaligned_since: int | None = None
        self._clear()

    def saw_a(self, edge: int, data: int, last: bool) -> None:
        """A beat of A was taken."""
        self.a.append((edge, data, last))
        self._step()

    def saw_b(self, edge: int, data: int, last: bool) -> None:
        """A beat of B was taken."""
        self.b.append((edge, data, last))
        self._step()

    def _step(self) -> None:
        while self.a and self.b:
            (edge_a, a, last_a), (edge_b, b, last_b) = self.a.popleft(), self.b.popleft()
            if edge_a != edge_b:
                raise AssertionError(f"a beat of A was taken at edge {edge_a}, and that of B at edge {edge_b}")
            if last_a != last_b and self.misaligned_since is None:
                self.misaligned_since = edge_a
            self._accumulate(self.word_a.groups(a), self.word_b.groups(b))
            if last_a:
                for row, words in enumerate(self.sums):
                    self.expect(words, row == self.rows - 1)
                self._clear()

    def _accumulate(self, a: Groups, b: Groups) -> None:
        for sums, (x, code_x) in zip(self.sums, a, strict=True):
            for column, (y, code_y) in enumerate(b):
                sums[column] += sum(map(mul, x, y)) << code_x + code_y

    def _clear(self) -> None:
        self.sums = [[0] * self.columns for _ in range(self.rows)]
