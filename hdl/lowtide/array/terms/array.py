"""Term array: reveals the terms of integer operands and multiplies them."""

from functools import partial

from amaranth.hdl import Cat
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.array.core import SystolicCore
from lowtide.array.skew import Skew, skew
from lowtide.array.terms.column import Column, ColumnControl
from lowtide.array.terms.control import Control
from lowtide.array.terms.loader import Loader
from lowtide.array.terms.row import Row, RowControl
from lowtide.array.terms.settings import Settings
from lowtide.formats.beats import word_beat
from lowtide.formats.parameter import IllegalValue
from lowtide.formats.terms import Terms
from lowtide.netlist import Structure
from lowtide.units.arithmetic.tmac import Tmac
from lowtide.units.stream.delay import delay

__all__ = ["TermArray"]


class TermArray(Structure):
    """Term array: output-stationary product of integers whose terms are revealed as they arrive.

    A tile is ``C[r, c] = sum_i x[r, i] * w[i, c]``, exact, where revealing keeps the ``data_terms`` largest terms of
    each value of the data A, and the ``budget`` largest terms of each group of the weights B. Each beat carries the
    next ``values`` integers along the reduction for every row and every column. A tile has any number of beats. A
    group begins with each tile, and the last group of a tile may be short.

    A group takes ``max(budget, 1)`` cycles for any values, or as many cycles as the next group has beats if that is
    more. A tile takes one cycle more, or ``spacing`` if that is more. The array samples the settings with the first
    beat of a tile, so tiles with different settings follow each other without an idle cycle. Without revealing every
    term is kept, which is plain quantization.

    Latency without waiting: ``latency`` cycles and the budget, from the last accepted beat to the valid row 0.

    Parameters
    ----------
    rows, columns : int
        Processing elements.
    terms : Terms
        Formats; ``parallel`` must be 1.
    skew : str
        Where integers wait for their row or column: in ``registers`` or in ``memory``, see `Skew`.
    block : tuple of two int
        Rows and columns of a block of elements that share registers, see `Grid`.

    Members
    -------
    a : In(stream of word_beat(rows * terms.values * terms.width))
        Beats of data: ``values`` integers per row, row 0 and in it the first integer in the lowest bits. ``last`` ends
        a tile.
    b : In(stream of word_beat(columns * terms.values * terms.width))
        Beats of weights: ``values`` integers per column. A beat is accepted from ``a`` and ``b`` at once.
    c : Out(stream of word_beat(columns * element().accumulator))
        Rows of the tile: ``columns`` signed words of ``terms.accumulator`` bits. ``last`` is high with the last row.
    settings : In(Settings(terms))
        New settings, for tiles whose first beat is accepted in a later cycle.
    settings_write : In(1)
        Pulses for one cycle to write ``settings``.
    settings_refused : Out(1)
        High after illegal ``settings`` were written, until the next write. The earlier settings stay in force.
    misaligned : Out(1)
        High after ``last`` arrived on ``a`` or ``b`` alone, until reset.

    Raises
    ------
    IllegalValue
        If an element takes more than one term per cycle.
    """

    def __init__(self, rows: int, columns: int, terms: Terms, skew: str = "registers", block: tuple[int, int] = (1, 1)):
        if terms.parallel != 1:
            raise IllegalValue("parallel", "1 where weights are integers (one term per cycle)", terms.parallel)
        self.rows, self.columns, self.terms = rows, columns, terms
        self.skew, self.block = skew, block
        self.element = partial(Tmac, terms)
        self._core = core = SystolicCore(rows, columns, self.element, Skew.latency + Row.latency, block)
        self.spacing = core.spacing
        self.latency = core.latency
        blocks = "" if block == (1, 1) else "_by_{}x{}".format(*block)
        memory = "_memory_skew" if skew == "memory" else ""
        formats = f"{self.element().module_name}_{terms.budget}_{terms.data_terms}"
        self.module_name = f"term_array_{rows}x{columns}{blocks}{memory}_{formats}"
        width = terms.values * terms.width
        super().__init__(
            {
                "a": In(stream.Signature(word_beat(rows * width))),
                "b": In(stream.Signature(word_beat(columns * width))),
                "c": Out(stream.Signature(word_beat(len(core.data)))),
                "settings": In(Settings(terms)),
                "settings_write": In(1),
                "settings_refused": Out(1),
                "misaligned": Out(1),
            }
        )

    def wire(self, place):
        terms, core = self.terms, self._core
        loader, feeder = Loader(terms), core.feeder()
        control = place("control", Control(terms), write=self.settings_write, i=self.settings)
        place(
            "loader",
            loader,
            a_valid=self.a.valid,
            a_last=self.a.payload.last,
            b_valid=self.b.valid,
            b_last=self.b.payload.last,
            settings=control.o,
            go=feeder.a_ready,
        )
        place(
            "feeder",
            feeder,
            room=core.room,
            a_valid=loader.term,
            a_last=loader.term_last,
            b_valid=loader.term,
            b_last=loader.term_last,
        )
        place(
            "core",
            core,
            a=self._rows(place, loader),
            b=self._columns(place, loader),
            restart=feeder.restart,
            finished=feeder.finished,
            ready=self.c.ready,
        )
        return {
            "a__ready": loader.a_ready,
            "b__ready": loader.b_ready,
            "c__valid": core.valid,
            "c__payload": Cat(core.data, core.last),
            "settings_refused": control.refused,
            "misaligned": loader.misaligned,
        }

    def _rows(self, place, loader: Loader):
        """Return the skewed words of the data."""
        terms = self.terms
        control = Cat(loader.take, loader.slot, loader.bank, loader.data_terms)
        layout, beat = RowControl(terms), self.a.payload.data
        return self._line(place, "row", self.rows, self.block[0], Row, layout, control, beat, loader.idle)

    def _columns(self, place, loader: Loader):
        """Return the skewed words of the weights."""
        terms = self.terms
        control = Cat(
            loader.take,
            loader.first,
            loader.slot,
            loader.bank,
            loader.group,
            loader.next,
            loader.term_first,
            loader.term_bank,
        )
        layout, beat = ColumnControl(terms), self.b.payload.data
        return self._line(place, "column", self.columns, self.block[1], Column, layout, control, beat, loader.idle)

    def _line(self, place, name, count, block, make, layout, control, beat, idle):
        """Return the words of all rows or columns; integers pass a skew, and control from each block to the next."""
        width = self.terms.values * self.terms.width
        integers = place(f"skew_{name}s", skew(len(beat), width * block, self.skew), idle_i=idle, i=beat)
        control = place(f"{name}_control", delay(Skew.latency, layout.size), i=control).o
        words = []
        for n in range(count):
            unit = place(f"{name}_{n}", make(self.terms), i=integers.o.word_select(n, width), control_i=control)
            if (n + 1) % block == 0:
                control = unit.control_o
            words.append(unit.o)
        return Cat(words)
