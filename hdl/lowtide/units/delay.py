"""Delay: plain registers, without reset."""

from amaranth.hdl import Module, Signal

__all__ = ["delayed"]


def delayed(m: Module, value, cycles: int = 1):
    """Give ``value`` as it was ``cycles`` cycles ago."""
    for _ in range(cycles):
        earlier = Signal.like(value, name="earlier", reset_less=True)
        m.d.sync += earlier.eq(value)
        value = earlier
    return value
