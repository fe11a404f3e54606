"""Operand framer: counts beats, pads short operands, drops the excess of long ones."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit
from lowtide.units.logic import at_most

__all__ = ["OperandFramer"]


class OperandFramer(Unit):
    """Operand framer: sends exactly ``rows`` rows of ``length`` numbers, whatever the stream carries.

    Each row of the stream occupies whole beats, and numbers beyond ``length`` become zero. An operand ends with
    ``last``. If ``last`` arrives too early, the framer pads the operand with zeros. If ``last`` does not arrive with
    the last beat, the framer drops all beats up to ``last``. It flags both faults, and the next operand starts
    aligned.

    Parameters
    ----------
    numbers : int
        Numbers per beat.
    most : int
        Maximum of ``rows`` and of ``length``.

    Members
    -------
    start : In(1)
        Pulses for one cycle to accept an operand. Only while ``busy`` is low.
    rows : In(range(most + 1))
        Rows of the stream, at least 1; stable while ``busy`` is high.
    length : In(range(most + 1))
        Numbers per row, at least 1; stable while ``busy`` is high.
    i : In(stream of fp32_beat(numbers))
        Operand; ``last`` is high with its last beat.
    o : Out(stream of fp32_beat(numbers))
        Framed operand; ``last`` is high with the last beat of each row. Combinational from ``i``.
    padding : Out(1)
        High while ``o`` has zeros in place of a missing beat; only the exponents of its numbers are zero.
    busy : Out(1)
        High while an operand is being received.
    too_short : Out(1)
        Pulses for one cycle when the operand ends too early.
    too_long : Out(1)
        Pulses for one cycle when the operand does not end with its last beat.
    """

    def __init__(self, numbers: int, most: int):
        self.numbers, self.most = numbers, most
        self.module_name = f"operand_framer_{numbers}_{most}"
        layout = fp32_beat(numbers)
        super().__init__(
            {
                "start": In(1),
                "rows": In(range(most + 1)),
                "length": In(range(most + 1)),
                "i": In(stream.Signature(layout)),
                "o": Out(stream.Signature(layout)),
                "padding": Out(1),
                "busy": Out(1),
                "too_short": Out(1),
                "too_long": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        numbers = self.numbers
        taking = Signal()
        filling = Signal()
        dropping = Signal()
        rows = Signal.like(self.rows)  # remaining, including the row of this beat
        left = Signal.like(self.length)
        row_ends = Signal()
        ends = Signal()
        moves = Signal()
        m.d.comb += [
            row_ends.eq(at_most(left, numbers)),
            ends.eq(row_ends & (rows == 1)),
            moves.eq(self.o.valid & self.o.ready),
            self.o.valid.eq(filling | (taking & self.i.valid)),
            self.o.payload.last.eq(row_ends),
            self.i.ready.eq((taking & self.o.ready) | dropping),
            self.padding.eq(filling),
            self.busy.eq(taking | filling | dropping),
            self.too_short.eq(taking & moves & self.i.payload.last & ~ends),
            self.too_long.eq(taking & moves & ~self.i.payload.last & ends),
        ]
        for n, (number, taken) in enumerate(zip(self.o.payload.number, self.i.payload.number, strict=True)):
            # A number with exponent field 0 counts as zero.
            m.d.comb += [
                number.eq(taken),
                number.exponent.eq(Mux(taking & ~at_most(left, n), taken.exponent, 0)),
            ]
        with m.If(moves):
            m.d.sync += left.eq(Mux(row_ends, self.length, left - numbers))
            with m.If(row_ends):
                m.d.sync += rows.eq(rows - 1)
            m.d.sync += Cat(taking, filling).eq(
                Mux(ends, 0, Mux(filling | self.i.payload.last, 0b10, 0b01)),
            )
            m.d.sync += dropping.eq(self.too_long)
        with m.If(dropping & self.i.valid & self.i.payload.last):
            m.d.sync += dropping.eq(0)
        with m.If(self.start):
            m.d.sync += [taking.eq(1), rows.eq(self.rows), left.eq(self.length)]
        return m
