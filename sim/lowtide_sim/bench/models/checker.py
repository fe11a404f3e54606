"""Checker: compares received rows of results with the model's, word by word."""

from collections import deque

__all__ = ["Checker"]


class Checker:
    """Compares rows of results, their order, and ``tlast``.

    Parameters
    ----------
    columns, width : int
        Words per row, and bits per word.
    """

    def __init__(self, columns: int, width: int):
        self.columns, self.width = columns, width
        self.due: deque[tuple[list[int], bool]] = deque()
        self.checked = 0

    def expect(self, words: list[int], last: bool) -> None:
        """Add an expected row."""
        self.due.append((words, last))

    def reset(self) -> None:
        """Discard all expected rows."""
        self.due.clear()

    def saw(self, edge: int, data: int, last: bool) -> None:
        """Compare a received row with the next expected row.

        Raises
        ------
        AssertionError
            If the rows differ, or no row is expected.
        """
        if not self.due:
            raise AssertionError(f"edge {edge}: unexpected row: all expected rows have arrived")
        words, expected_last = self.due.popleft()
        if data != self._row(words):
            raise AssertionError(f"edge {edge}, row {self.checked}: {self._difference(words, data)}")
        if last != expected_last:
            raise AssertionError(f"edge {edge}, row {self.checked}: tlast is {last}, not {expected_last}")
        self.checked += 1

    def words(self, data: int) -> list[int]:
        """Signed words of a row."""
        return [self._word(data, column) for column in range(self.columns)]

    def _word(self, data: int, column: int) -> int:
        bits = data >> column * self.width & ((1 << self.width) - 1)
        return bits - (bits >> self.width - 1 << self.width)

    def _row(self, words: list[int]) -> int:
        mask = (1 << self.width) - 1
        return sum((word & mask) << column * self.width for column, word in enumerate(words))

    def _difference(self, words: list[int], data: int) -> str:
        for column, word in enumerate(words):
            if self._word(data, column) != word:
                return f"column {column} is {self._word(data, column)}, not {word}"
        return "bits above the last column are not zero"
