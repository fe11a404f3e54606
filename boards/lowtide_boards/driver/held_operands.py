"""Operands that an engine holds: the driver sends an operand only if the engine holds no equal one."""

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
    slot : int
        Slot of the buffer, if the engine has slots.
    """

    words: np.ndarray
    settings: Mapping[str, int]
    slot: int = 0
    events: Mapping[str, int] = attrs.Factory(dict)
    improvement: Improvement | None = None


class HeldOperands:
    """The operands of each side that an engine holds from one product to the next.

    Parameters
    ----------
    slots : int
        Slots per buffer. An engine without slots, with 0, holds only the operand loaded last.
    """

    def __init__(self, slots: int):
        self._count = max(slots, 1)
        self.forget()

    def forget(self) -> None:
        """Forget the operands, because the engine may not hold them any more."""
        self._held: dict[str, list[HeldOperand]] = {"a": [], "b": []}  # the operand used last is at the end

    def next(self, side: str, words: np.ndarray, settings: Mapping[str, int]) -> tuple[HeldOperand, bool]:
        """The operand that a product uses, and whether the driver must send it.

        A new operand takes an empty slot, or the slot whose operand was not used for the longest time.

        Parameters
        ----------
        side : str
            ``a`` or ``b``.
        words : array of uint32
            Words of the operand.
        settings : mapping of str to int
            Values of the operand's registers, by name.
        """
        held = self._held[side]
        for operand in held:
            if operand.settings == settings and np.array_equal(operand.words, words):
                held.remove(operand)
                held.append(operand)
                return operand, False
        slot = held.pop(0).slot if len(held) == self._count else len(held)
        # A copy, because the caller may change the array before the next product.
        held.append(HeldOperand(words=words.copy(), settings=dict(settings), slot=slot))
        return held[-1], True
