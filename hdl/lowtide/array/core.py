"""The systolic core: operands in step in, rows of results out."""

from collections.abc import Callable

from amaranth.hdl import Const
from amaranth.lib.wiring import In, Out

from lowtide.array.collector import Collector
from lowtide.array.element import Element, port_width
from lowtide.array.grid import grid
from lowtide.netlist import Structure
from lowtide.units.stream.delay import ShiftRegister, delay

__all__ = ["SystolicCore"]


class SystolicCore(Structure):
    """The grid of elements and the collector behind it: what every array is built around.

    It never stops. Operands of zeros change nothing; results that are not accepted wait in a queue, and a tile may
    only end while the queue has ``room`` for all of it.

    Parameters
    ----------
    rows, columns : int
        Shape of a tile.
    element : function without arguments
        Makes a processing element.
    ahead : int
        Cycles from ``restart`` to the word 0 that it goes with.

    Members
    -------
    a, b : In(rows * width of an element's ``a_i``), In(columns * width of its ``b_i``)
        A word for each row or column, word 0 in the lowest bits, skewed: word ``n`` comes ``n`` cycles after word 0.
    restart : In(1)
        A restart beat, without operands that add anything; at least ``spacing`` cycles after the last one.
    finished : In(1)
        It ends a tile, whose results are wanted. Only while there is room.
    room : Out(1)
        A tile may end.
    valid, ready, data, last
        A stream of rows, as that of `Collector`.

    Attributes
    ----------
    latency : int
        Cycles from a restart to the valid row 0.
    spacing : int
        Cycles that a column's results take to leave, or an element to make one.
    """

    def __init__(self, rows: int, columns: int, element: Callable[[], Element], ahead: int):
        self.rows, self.columns, self.element, self.ahead = rows, columns, element, ahead
        pattern = element()
        self.width_a, self.width_b = port_width(pattern, "a_i"), port_width(pattern, "b_i")
        self.spacing = max(2 * rows, pattern.spacing)
        self._result_delay = ahead + pattern.latency
        # Between the end of a tile and its first row, those of others may be on their way, one in two cycles.
        underway = (self._result_delay + columns + 5) // 2
        self._collector = Collector(rows, columns, pattern.accumulator, rows + underway)
        self.latency = self._result_delay + self._collector.latency
        self.module_name = f"systolic_core_{rows}x{columns}_{ahead}_{pattern.module_name}"
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

    def wire(self, place):
        cells = grid(self.rows, self.columns, self.element)
        collector = self._collector
        wave = place("restart_wave", ShiftRegister(self.ahead - 1 + self.rows), i=self.restart)
        place(
            "grid",
            cells,
            a_i=self.a,
            b_i=self.b,
            restart_i=wave.o[self.ahead - 1 :],
            drain_i=Const(0, self.columns * collector.half),
        )
        start = place("result_delay", delay(self._result_delay, 1, reset_less=False), i=self.finished)
        place(
            "collector",
            collector,
            promise=self.finished,
            start=start.o,
            halves=cells.drain_o,
            ready=self.ready,
        )
        return {"room": collector.room, "valid": collector.valid, "data": collector.data, "last": collector.last}
