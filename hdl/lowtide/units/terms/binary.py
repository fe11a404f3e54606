"""Plain binary: the bits of a magnitude are its digits."""

from amaranth.hdl import C, Cat, Module, Value

__all__ = ["binary_digits"]


def binary_digits(_m: Module, n: Value) -> tuple[Value, Value]:
    """Digits ``n[i]``, none of them negative; the one above the bits is always 0."""
    return Cat(n, C(0, 1)), C(0, len(n) + 1)
