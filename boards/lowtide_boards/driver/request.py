"""Requests, as a driver makes them."""

from collections.abc import Callable

import attrs
import numpy as np

from lowtide.interfaces.serial.protocol import Kind

__all__ = ["Request"]


@attrs.frozen(eq=False)
class Request:
    """A request, and what is done with its answer.

    Parameters
    ----------
    kind : str
    words : sequence of int
        Its payload.
    answer : callable, optional
        Called with the words of its answer, without the levels. Without, the answer may be lost.
    """

    kind: Kind
    words: "tuple[int, ...] | np.ndarray"
    answer: Callable[[tuple[int, ...]], object] | None = None

    @property
    def loads(self) -> bool:
        """It brings words of an operand."""
        return self.kind.startswith(("load", "last"))

    def __str__(self) -> str:
        return f"{self.kind} of {len(self.words)} words" if self.loads else f"{self.kind} {tuple(self.words)}"
