"""Requests of the driver."""

from collections.abc import Callable

import attrs
import numpy as np

from lowtide.interfaces.serial.protocol import Kind

__all__ = ["Request"]


@attrs.frozen(eq=False)
class Request:
    """A request, and a callback for its answer.

    Parameters
    ----------
    kind : str
        Kind of the frame.
    words : sequence of int
        Payload.
    answer : callable, optional
        Called with the words of the answer, without the levels. Without a callback the answer may be lost.
    """

    kind: Kind
    words: "tuple[int, ...] | np.ndarray"
    answer: Callable[[tuple[int, ...]], object] | None = None

    @property
    def loads(self) -> bool:
        """Whether the request has words of an operand."""
        return self.kind.startswith(("load", "last"))

    def __str__(self) -> str:
        return f"{self.kind} of {len(self.words)} words" if self.loads else f"{self.kind} {tuple(self.words)}"
