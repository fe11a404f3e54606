"""Operands that an engine holds: the driver sends an operand only if it differs from the operand before it."""

from collections.abc import Mapping

import attrs
import numpy as np

from lowtide_model import Improvement

__all__ = ["HeldOperand", "HeldOperands"]


@attrs.define(kw_only=True, eq=False)
class HeldOperand:
    """An operand in the buffers of an engine.

    Parameters
    ----------
    words : array of uint32
        Words that the driver sent.
    settings : mapping of str to int
        Values of the operand's registers, by name.
    events : mapping of str to int
        Events that the engine counted while it converted the operand, by name of the counter.
    improvement : Improvement, optional
        Relative improvement that the engine measured while it converted the operand.
    """

    words: np.ndarray
    settings: Mapping[str, int]
    events: Mapping[str, int] = attrs.Factory(dict)
    improvement: Improvement | None = None


class HeldOperands:
    """The last operand of each side, as an engine holds it from one product to the next."""

    def __init__(self):
        self._last: dict[str, HeldOperand] = {}

    def forget(self) -> None:
        """Forget the operands, because the engine may not hold them any more."""
        self._last = {}

    def next(self, side: str, words: np.ndarray, settings: Mapping[str, int]) -> tuple[HeldOperand, bool]:
        """The operand that a product uses, and whether the driver must send it.

        Parameters
        ----------
        side : str
            ``a`` or ``b``.
        words : array of uint32
            Words of the operand.
        settings : mapping of str to int
            Values of the operand's registers, by name.
        """
        last = self._last.get(side)
        if last is not None and last.settings == settings and np.array_equal(last.words, words):
            return last, False
        # A copy, because the caller may change the array before the next product.
        self._last[side] = HeldOperand(words=words.copy(), settings=dict(settings))
        return self._last[side], True
