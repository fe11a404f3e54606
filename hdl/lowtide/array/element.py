"""Element: the interface of a processing element."""

from typing import Any, Protocol

from amaranth.hdl import Shape

__all__ = ["Element", "port_width"]


class Element(Protocol):
    """Processing element: the interface that the array requires.

    Operands pass through an element in one cycle. With ``cycles_a=0`` or ``cycles_b=0``, A or B passes without a
    register, because the element shares the register of its left or upper neighbor.

    In each cycle the element adds the product of its two operands to its sum; zero operands leave the sum unchanged.
    With the last beat of a tile, a restart, the element sends its sum to the drain. An element of running sums does not
    begin a new sum: it sends the sum of all products since a reset, modulo ``2**accumulator``.

    Members
    -------
    a_i, a_o : In, Out
        Operand A, which moves right by one column per cycle.
    b_i, b_o : In, Out
        Operand B, which moves down by one row per cycle.
    restart_i, restart_o : In(1), Out(1)
        High ``restart_delay`` cycles after the last beat of a tile; moves right as A does.
    drain_i, drain_o : In, Out
        Results, which move up by one row per cycle, as a low half word and then a high one. Idle words are zero, and
        ``drain_i`` is idle in the two cycles in which the element sends its own result.

    Attributes
    ----------
    accumulator : int
        Width of a result in bits.
    latency : int
        Cycles from the last beat of a tile on ``a_i`` to the low half word on ``drain_o``.
    restart_delay : int
        Cycles from the last beat on ``a_i`` to its restart on ``restart_i``. One delay for all elements so takes the
        place of a delay in each of them.
    spacing : int
        Minimum cycles between restarts, at least 2, because a result leaves in two cycles.
    restarts : int
        Restarts without operands, ``spacing`` cycles apart, that must follow a reset before the first tile. Their sums
        are zero.
    running_sums : bool
        Whether the element sends running sums.
    keep_hierarchy : bool
        True: synthesis must not merge registers of elements on a diagonal, which restart together.
    """

    module_name: str
    keep_hierarchy: bool
    accumulator: int
    latency: Any
    restart_delay: Any
    spacing: int
    restarts: int
    running_sums: bool
    signature: Any


def port_width(element: Element, port: str) -> int:
    """Return the width of a port in bits."""
    return Shape.cast(element.signature.members[port].shape).width
