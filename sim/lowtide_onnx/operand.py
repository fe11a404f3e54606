"""Operands of the products of a layer, and the layers' interface."""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import numpy as np

__all__ = [
    "Arrays",
    "Bits",
    "Layer",
    "Multiply",
    "Operand",
    "Sizes",
    "WrongShape",
    "check_shape",
    "largest",
    "size_text",
]


class WrongShape(Exception):
    """Inputs of a layer whose shapes do not fit together; a run adds the name of the layer."""


Arrays = Sequence[np.ndarray | None]
"""Inputs of a node; None for an optional input that is missing."""

Bits = tuple[int, int]
"""Magnitude bits of A and of B."""

Sizes = tuple[int | None, int | None, int | None]
"""M, K and N of a product; None for a size that only the inputs determine."""


@attrs.frozen(kw_only=True, eq=False)
class Operand:
    """Operand of a batch of products.

    Parameters
    ----------
    x : array of float32, shape (matrices, M, K) for A and (matrices, K, N) for B
        The operand.
    most : float
        Largest magnitude of the tensor that shares a bias; NaN or infinity if the tensor has one.
    what : str
        Name in errors, such as ``input 0``.
    """

    x: np.ndarray
    most: float
    what: str

    @classmethod
    def of(cls, x: np.ndarray, what: str, tensor: np.ndarray | None = None) -> "Operand":
        """An operand that shares the bias of its tensor, by default of itself."""
        return cls(x=x, most=largest(x if tensor is None else tensor), what=what)


Multiply = Callable[[int, Operand, Operand], np.ndarray]
"""Products of a site, of shape (matrices, M, N), in float32."""


class Layer(Protocol):
    """A node whose products run on an engine.

    Attributes
    ----------
    sites : tuple of str
        Names of the products of a layer with several products; one empty name otherwise.
    """

    @property
    def sites(self) -> tuple[str, ...]: ...

    def compute(self, inputs: Arrays, multiply: Multiply) -> list[np.ndarray]:
        """Outputs of the node; all products are computed by ``multiply``, all else by NumPy in FP32.

        Raises
        ------
        WrongShape
            If the shapes of the inputs do not fit together.
        """
        ...

    def sizes(self, shapes: Sequence[Sequence[int | None] | None]) -> Sizes:
        """Sizes of the first product from the shapes of the inputs, as far as these are known."""
        ...


def check_shape(name: str, x: np.ndarray, *legal: int | None) -> None:
    """Refuse an array of another shape; None is any size.

    Raises
    ------
    WrongShape
        If the shape differs.
    """
    if len(x.shape) != len(legal) or any(want not in (None, size) for want, size in zip(legal, x.shape, strict=True)):
        wanted = ", ".join("?" if size is None else str(size) for size in legal)
        raise WrongShape(f"{name} must have the shape ({wanted}), not ({', '.join(map(str, x.shape))})")


def largest(x: np.ndarray) -> float:
    """Largest magnitude; NaN if there is a NaN."""
    if not x.size:
        return 0.0
    low, high = float(x.min()), float(x.max())
    return max(-low, high) if low == low else low


def size_text(sizes: Sizes) -> str:
    """M × K × N, with a question mark for a size that is not known."""
    return " × ".join("?" if size is None else str(size) for size in sizes)
