"""Systolic core: grid of elements, differentiators and result collector."""

from collections.abc import Callable

from amaranth.hdl import Cat, Const
from amaranth.lib.wiring import In, Out

from lowtide.array.collector import Collector
from lowtide.array.differentiator import Differentiators
from lowtide.array.element import Element, port_width
from lowtide.array.feeder import Feeder
from lowtide.array.grid import grid
from lowtide.netlist import Structure
from lowtide.units.stream.delay import ShiftRegister, delay

__all__ = ["SystolicCore"]


class SystolicCore(Structure):
    """Systolic core: the grid of elements, the differentiators and the collector, shared by every array.

    The core never stalls. Zero operands leave every sum unchanged. Results that are not accepted wait in a queue, and
    a tile may end only while all of its results fit into that queue.

    Elements of running sums are followed by `Differentiators`. A restart without a beat after a reset begins the sums
    at zero, and fills the differentiators with zeros.

    Parameters
    ----------
    rows, columns : int
        Shape of a tile.
    element : function
        Makes a processing element, as `Grid` takes it.
    ahead : int
        Cycles from ``restart`` to the word 0 that belongs to it.
    block : tuple of two int
        Rows and columns of a block of elements that share registers, see `Grid`.

    Members
    -------
    a : In(rows * width_a)
        One word per row, row 0 in the lowest bits, skewed as `Grid` takes them.
    b : In(columns * width_b)
        One word per column, skewed in the same way.
    restart : In(1)
        Pulses for one cycle with the last beat of a tile, as a `feeder` sends it. At least ``spacing`` cycles apart.
    finished : In(1)
        High with a restart that ends a tile, low with a restart after reset. Only while ``room`` is high.
    room : Out(1)
        High while a tile may end.
    valid : Out(1)
        High while ``data`` and ``last`` are valid.
    ready : In(1)
        High when the receiver accepts a row.
    data : Out(columns * element().accumulator)
        Row of results, column 0 in the lowest bits; row 0 is sent first.
    last : Out(1)
        High with the last row of a tile.

    Attributes
    ----------
    width_a, width_b : int
        Width of an operand word of the element in bits.
    latency : int
        Cycles from a restart to the valid row 0.
    spacing : int
        Minimum cycles between restarts: a column needs them to drain, or an element to complete a result.
    """

    def __init__(
        self, rows: int, columns: int, element: Callable[..., Element], ahead: int, block: tuple[int, int] = (1, 1)
    ):
        self.rows, self.columns, self.element, self.ahead, self.block = rows, columns, element, ahead, block
        pattern = element()
        self.width_a, self.width_b = port_width(pattern, "a_i"), port_width(pattern, "b_i")
        self.spacing = max(2 * rows, pattern.spacing)
        self._restart_delay = pattern.restart_delay
        self._running_sums, self._restarts = pattern.running_sums, pattern.restarts
        self._result_delay = ahead + pattern.latency
        # Between the end of a tile and its first row, rows of other tiles may arrive, one in two cycles.
        in_flight = (self._result_delay + -(-columns // block[1]) + 5) // 2
        self._collector = Collector(rows, columns, pattern.accumulator, rows + in_flight, block[1])
        self.latency = self._result_delay + self._collector.latency
        blocks = "" if block == (1, 1) else "_by_{}x{}".format(*block)
        self.module_name = f"systolic_core_{rows}x{columns}{blocks}_{ahead}_{pattern.module_name}"
        super().__init__(
            {
                "a": In(rows * self.width_a),
                "b": In(columns * self.width_b),
                "restart": In(1),
                "finished": In(1),
                "room": Out(1),
                "valid": Out(1),
                "ready": In(1),
                "data": Out(columns * pattern.accumulator),
                "last": Out(1),
            }
        )

    def feeder(self) -> Feeder:
        """Return a feeder for the core."""
        return Feeder(self.spacing, self._restarts)

    def wire(self, place):
        cells = grid(self.rows, self.columns, self.element, self.block)
        collector = self._collector
        rows = self.block[0]
        steps = -(-self.rows // rows)
        until_start = self._result_delay - 2 if self._running_sums else 0  # cycles to the start of the differentiators
        before = self.ahead + self._restart_delay - 1
        wave = place("restart_wave", ShiftRegister(max(before + steps, until_start)), i=self.restart)
        restarts = wave.o[before : before + steps]
        place(
            "grid",
            cells,
            a_i=self.a,
            b_i=self.b,
            restart_i=restarts if rows == 1 else Cat(restarts[r // rows] for r in range(self.rows)),
            drain_i=Const(0, self.columns * collector.half),
        )
        halves = cells.drain_o
        if self._running_sums:
            differences = Differentiators(self.rows, self.columns, collector.half, self.block[1])
            halves = place("differentiators", differences, start=wave.o[until_start - 1], i=halves).o
        start = place("result_delay", delay(self._result_delay, 1, reset_less=False), i=self.finished)
        place(
            "collector",
            collector,
            reserve=self.finished,
            start=start.o,
            halves=halves,
            ready=self.ready,
        )
        return {"room": collector.room, "valid": collector.valid, "data": collector.data, "last": collector.last}
