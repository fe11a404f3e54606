"""Delay: plain registers, without reset."""

from amaranth.hdl import Module, Signal

__all__ = ["delayed"]


def delayed(m: Module, value, cycles: int = 1, init: int | None = None):
    """Give ``value`` as it was ``cycles`` cycles ago, or ``init`` (zero if not given) where that is before power-up."""
    for _ in range(cycles):
        earlier = Signal.like(value, name="earlier", init=init, reset_less=True)
        m.d.sync += earlier.eq(value)
        value = earlier
    return value
