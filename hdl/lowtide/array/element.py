"""What the array asks of a processing element."""

from typing import Any, Protocol

from amaranth.hdl import Shape

__all__ = ["Element", "port_width"]


class Element(Protocol):
    """A processing element, as the array sees it.

    Operands pass through it in one cycle. It adds what the two operands make in each cycle to its sum; operands of
    zeros change nothing. A restart beat, whose operands are zeros, hands the sum to the drain and clears it.

    Members
    -------
    a_i, a_o : In, Out
        Operand that moves right, one column a cycle.
    b_i, b_o : In, Out
        Operand that moves down, one row a cycle.
    restart_i, restart_o : In(1), Out(1)
        Moves right together with A. High in the beat that follows the last one of a tile.
    drain_i, drain_o : In, Out
        Results move up, one row a cycle, as two half words, the low one first. Idle words are zero, and
        ``drain_i`` is idle in the two cycles in which the element sends its own.

    Attributes
    ----------
    accumulator : int
        Bits of a result.
    latency : int
        Cycles from ``restart_i`` to the low half on ``drain_o``.
    spacing : int
        Least number of cycles from one restart to the next, 2 or more, since that is how long a result leaves.
    restarts : int
        Restarts that make any state good.
    keep_hierarchy : bool
        True: elements of a diagonal restart together, and synthesis would merge their registers for that.
    """

    module_name: str
    keep_hierarchy: bool
    accumulator: int
    latency: Any
    spacing: int
    restarts: int
    signature: Any


def port_width(element: Element, port: str) -> int:
    """Bits of one of its ports."""
    return Shape.cast(element.signature.members[port].shape).width
