"""Holds what came out against what the model expects, word by word."""

from collections import deque

__all__ = ["Checker"]


class Checker:
    """Compares rows of results, their order, and where a tile ends.

    Parameters
    ----------
    columns, width : int
        Words in a row, and bits of a word.
    """

    def __init__(self, columns: int, width: int):
        self.columns, self.width = columns, width
        self.due: deque[tuple[list[int], bool]] = deque()
        self.checked = 0

    def expect(self, words: list[int], last: bool) -> None:
        """A row is due."""
        self.due.append((words, last))

    def reset(self) -> None:
        """Nothing is due any more."""
        self.due.clear()

    def saw(self, edge: int, data: int, last: bool) -> None:
        """A row came.

        Raises
        ------
        AssertionError
            If no row was due, or another one.
        """
        if not self.due:
            raise AssertionError(f"edge {edge}: a row came that nothing is due for")
        words, expected_last = self.due.popleft()
        if data != self._row(words):
            raise AssertionError(f"edge {edge}, row {self.checked}: {self._difference(words, data)}")
        if last != expected_last:
            raise AssertionError(f"edge {edge}, row {self.checked}: tlast is {last}, not {expected_last}")
        self.checked += 1

    def words(self, data: int) -> list[int]:
        """The signed words of a row."""
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
