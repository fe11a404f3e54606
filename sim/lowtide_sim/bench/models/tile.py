"""What an array must answer, tile by tile, from the beats that were seen to enter it."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["Expect", "TileModel"]

Expect = Callable[[list[int], bool], None]


class TileModel(ABC):
    """Puts beats of A and B together; what they add up to, others say.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the array.
    expect : function
        Called with each row of results that is due: its words, and whether it is the last of its tile.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Expect):
        array = sidecar["configuration"]["array"]
        self.rows, self.columns = array["rows"], array["columns"]
        self.expect = expect
        self.reset()

    def reset(self) -> None:
        """Forget everything, as the array does."""
        self.a: deque[tuple[int, int, bool]] = deque()
        self.b: deque[tuple[int, int, bool]] = deque()
        self.misaligned_since: int | None = None
        self.clear()

    def saw_a(self, edge: int, data: int, last: bool) -> None:
        """A beat of A was taken."""
        self.a.append((edge, data, last))
        self._step()

    def saw_b(self, edge: int, data: int, last: bool) -> None:
        """A beat of B was taken."""
        self.b.append((edge, data, last))
        self._step()

    @abstractmethod
    def accumulate(self, edge: int, a: int, b: int) -> None:
        """Add what a beat makes."""

    @abstractmethod
    def results(self) -> list[list[int]]:
        """The rows of a tile that has ended."""

    @abstractmethod
    def clear(self) -> None:
        """Start a tile."""

    def _step(self) -> None:
        while self.a and self.b:
            (edge_a, a, last_a), (edge_b, b, last_b) = self.a.popleft(), self.b.popleft()
            if edge_a != edge_b:
                raise AssertionError(f"a beat of A was taken at edge {edge_a}, and that of B at edge {edge_b}")
            if last_a != last_b and self.misaligned_since is None:
                self.misaligned_since = edge_a
            self.accumulate(edge_a, a, b)
            if last_a:
                for row, words in enumerate(self.results()):
                    self.expect(words, row == self.rows - 1)
                self.clear()
