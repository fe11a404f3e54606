"""Grid: recursive grid of processing elements."""

from collections.abc import Callable
from functools import partial
from typing import Any

from amaranth.hdl import Cat, Shape
from amaranth.lib.wiring import In, Out

from lowtide.array.element import Element, port_width
from lowtide.netlist import Structure
from lowtide.netlist.structure import power_of_two_split
from lowtide.units.stream.delay import Register

__all__ = ["Grid", "grid"]


def grid(rows: int, columns: int, element: Callable[..., Element], block: tuple[int, int] = (1, 1)) -> Any:
    """Return a grid of elements, or a single element for 1 × 1."""
    return element() if rows == columns == 1 else Grid(rows, columns, element, block)


class Grid(Structure):
    """Grid: rows and columns of processing elements, each wired to its neighbors.

    A grid consists of two smaller grids, down to single elements. Each distinct shape is emitted once, so the emitted
    Verilog grows with the logarithm of the array.

    Operands arrive skewed: the operands of row ``r`` arrive ``r`` cycles after the operands of row 0, and the operands
    of column ``c`` arrive ``c`` cycles after the operands of column 0. Results leave at the top: the low half word of
    row ``r`` leaves ``2 r`` cycles after the low half word of row 0, and the high half word follows one cycle later.

    With blocks, operands pass a block in one cycle: its columns share registers of A, and its rows share registers of
    B. So the operands of row ``r`` arrive only ``r // block[0]`` cycles after row 0, and the operands of column ``c``
    only ``c // block[1]`` cycles after column 0. Rows of a block restart together; a register between two of them
    delays the lower results by a cycle, so that results leave at the same cycles as without blocks.

    Parameters
    ----------
    rows, columns : int
        Shape, at least two elements.
    element : function
        Makes a processing element; ``cycles_a=0`` or ``cycles_b=0`` makes one that shares registers.
    block : tuple of two int
        Rows and columns of a block; blocks at the edges may have fewer.

    Members
    -------
    a_i : In(rows * port_width(element(), "a_i"))
        Operands A at the left edge, row 0 in the lowest bits.
    a_o : Out(rows * port_width(element(), "a_o"))
        Operands A at the right edge.
    b_i : In(columns * port_width(element(), "b_i"))
        Operands B at the top edge, column 0 in the lowest bits.
    b_o : Out(columns * port_width(element(), "b_o"))
        Operands B at the bottom edge.
    restart_i : In(rows)
        High with a restart at the left edge, row 0 in the lowest bit.
    restart_o : Out(rows)
        Restarts at the right edge.
    drain_i : In(columns * port_width(element(), "drain_i"))
        Half words at the bottom edge, column 0 in the lowest bits.
    drain_o : Out(columns * port_width(element(), "drain_o"))
        Half words of results at the top edge.
    """

    def __init__(self, rows: int, columns: int, element: Callable[..., Element], block: tuple[int, int] = (1, 1)):
        self.rows, self.columns, self.element, self.block = rows, columns, element, block
        pattern = element()
        blocks = "" if block == (1, 1) else "_by_{}x{}".format(*block)
        self.module_name = f"grid_{rows}x{columns}{blocks}_{pattern.module_name}"
        ports = {}
        for name, count in {"a": rows, "b": columns, "restart": rows, "drain": columns}.items():
            width = count * port_width(pattern, f"{name}_i")
            ports |= {f"{name}_i": In(width), f"{name}_o": Out(width)}
        super().__init__(ports)

    def wire(self, place):
        return self._rows(place) if self.rows >= self.columns else self._columns(place)

    def _rows(self, place):
        above, same_block = split(self.rows, self.block[0])
        below = partial(self.element, cycles_b=0) if same_block else self.element
        top = grid(above, self.columns, self.element, self.block)
        low = grid(self.rows - above, self.columns, below, self.block)
        a, restart = self._shares("a_i", top), self._shares("restart_i", top)
        drain = low.drain_o
        if same_block:
            drain = place("drain_between_rows", Register(len(self.drain_i), reset_less=False), i=drain).o
        place(
            f"rows_0_to_{above - 1}",
            top,
            a_i=a[0],
            restart_i=restart[0],
            b_i=self.b_i,
            drain_i=drain,
        )
        place(
            f"rows_{above}_to_{self.rows - 1}",
            low,
            a_i=a[1],
            restart_i=restart[1],
            b_i=top.b_o,
            drain_i=self.drain_i,
        )
        return {
            "a_o": Cat(top.a_o, low.a_o),
            "restart_o": Cat(top.restart_o, low.restart_o),
            "b_o": low.b_o,
            "drain_o": top.drain_o,
        }

    def _columns(self, place):
        near, same_block = split(self.columns, self.block[1])
        beyond = partial(self.element, cycles_a=0) if same_block else self.element
        left = grid(self.rows, near, self.element, self.block)
        right = grid(self.rows, self.columns - near, beyond, self.block)
        b, drain = self._shares("b_i", left), self._shares("drain_i", left)
        place(
            f"columns_0_to_{near - 1}",
            left,
            a_i=self.a_i,
            restart_i=self.restart_i,
            b_i=b[0],
            drain_i=drain[0],
        )
        place(
            f"columns_{near}_to_{self.columns - 1}",
            right,
            a_i=left.a_o,
            restart_i=left.restart_o,
            b_i=b[1],
            drain_i=drain[1],
        )
        return {
            "a_o": right.a_o,
            "restart_o": right.restart_o,
            "b_o": Cat(left.b_o, right.b_o),
            "drain_o": Cat(left.drain_o, right.drain_o),
        }

    def _shares(self, port, first):
        """Split a port: the bits of the first part, and the bits of the second."""
        whole, cut = getattr(self, port), Shape.cast(first.signature.members[port].shape).width
        return whole[:cut], whole[cut:]


def split(count: int, block: int) -> tuple[int, bool]:
    """Return the size of the first part of a grid, and whether both parts belong to one block."""
    if count <= block:
        return power_of_two_split(count)[0], True
    return block * power_of_two_split(-(-count // block))[0], False
