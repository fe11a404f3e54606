"""Comparison with a constant."""

from amaranth.hdl import Const, Value

__all__ = ["at_most"]


def at_most(value: Value, most: int) -> Value:
    """Whether an unsigned value is ``most`` or less: a constant, where its bits hold nothing larger."""
    return value <= most if most < (1 << len(value)) - 1 else Const(1)
