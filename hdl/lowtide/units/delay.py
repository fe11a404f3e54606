"""Delay: plain registers, by default without reset."""

from amaranth.hdl import Module, Signal, Value

__all__ = ["delayed"]


def delayed(
    m: Module,
    value,
    cycles: int = 1,
    init: int | None = None,
    enable: Value | None = None,
    *,
    reset_less: bool = True,
):
    """Give ``value`` as it was ``cycles`` cycles ago, or ``init`` (zero if not given) where that is before power-up.

    With ``enable`` only cycles in which it is high count. Unless it is ``reset_less``, a reset counts as power-up.
    """
    for _ in range(cycles):
        earlier = Signal.like(value, name="earlier", init=init, reset_less=reset_less)
        if enable is None:
            m.d.sync += earlier.eq(value)
        else:
            with m.If(enable):
                m.d.sync += earlier.eq(value)
        value = earlier
    return value
