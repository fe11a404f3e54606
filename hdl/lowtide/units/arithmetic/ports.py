"""Ports of every processing element."""

from typing import Any

from amaranth.lib.wiring import In, Member, Out

__all__ = ["element_ports", "shared_registers"]


def element_ports(a: Any, b: Any, accumulator: int) -> dict[str, Member]:
    """Return the ports of an element with operands of shapes ``a`` and ``b`` and sums of ``accumulator`` bits.

    The drain carries half words: half of the sum's bits, rounded up.
    """
    half = (accumulator + 1) // 2
    return {
        "a_i": In(a),
        "a_o": Out(a),
        "b_i": In(b),
        "b_o": Out(b),
        "restart_i": In(1),
        "restart_o": Out(1),
        "drain_i": In(half),
        "drain_o": Out(half),
    }


def shared_registers(cycles_a: int, cycles_b: int) -> str:
    """Return the end of a module's name that states which registers an element shares."""
    shared = ("" if cycles_a else "a") + ("" if cycles_b else "b")
    return f"_shared_{shared}" if shared else ""
