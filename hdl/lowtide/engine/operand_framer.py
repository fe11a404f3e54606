"""OperandFramer: an operand's numbers from its stream, as many as it has, whatever the stream does."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit
from lowtide.units.arithmetic.logic import at_most

__all__ = ["OperandFramer"]


class OperandFramer(Unit):
    """Takes the beats of an operand: ``runs`` runs of ``length`` numbers, each of whole beats.

    Whatever a run's last beat has beyond its numbers becomes zero. The operand ends with ``last``. If that comes too
    soon, zeros stand for what is missing; if it does not come with the last beat, all that follows up to it is
    dropped. Both are flagged, and the next operand begins where it should.

    Parameters
    ----------
    numbers : int
        Numbers of a beat.
    most : int
        Most runs, and the longest run.

    Members
    -------
    start : In(1)
        Take an operand. Only if not ``busy``.
    runs, length : In(range(most + 1))
        Its runs and the numbers of a run, 1 or more; steady while it is ``busy``.
    i : In(stream of {number: numbers times FP32, last: 1})
        The operand, ``last`` with its last beat.
    o : Out(stream of {number, last})
        The same, ``last`` with the last beat of each run. Combinational from ``i``.
    busy : Out(1)
        An operand is being taken.
    too_short, too_long : Out(1)
        In one cycle: the operand ended too soon; it went on.
    """

    def __init__(self, numbers: int, most: int):
        self.numbers, self.most = numbers, most
        self.module_name = f"operand_framer_{numbers}_{most}"
        layout = fp32_beat(numbers)
        super().__init__(
            {
                "start": In(1),
                "runs": In(range(most + 1)),
                "length": In(range(most + 1)),
                "i": In(stream.Signature(layout)),
                "o": Out(stream.Signature(layout)),
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
        runs = Signal.like(self.runs)  # that are to come, those of this beat included
        left = Signal.like(self.length)
        run_ends = Signal()
        ends = Signal()
        moves = Signal()
        m.d.comb += [
            run_ends.eq(at_most(left, numbers)),
            ends.eq(run_ends & (runs == 1)),
            moves.eq(self.o.valid & self.o.ready),
            self.o.valid.eq(filling | (taking & self.i.valid)),
            self.o.payload.last.eq(run_ends),
            self.i.ready.eq((taking & self.o.ready) | dropping),
            self.busy.eq(taking | filling | dropping),
            self.too_short.eq(taking & moves & self.i.payload.last & ~ends),
            self.too_long.eq(taking & moves & ~self.i.payload.last & ends),
        ]
        for n, (number, taken) in enumerate(zip(self.o.payload.number, self.i.payload.number, strict=True)):
            # A number without an exponent counts as zero.
            m.d.comb += [
                number.eq(taken),
                number.exponent.eq(Mux(taking & ~at_most(left, n), taken.exponent, 0)),
            ]
        with m.If(moves):
            m.d.sync += left.eq(Mux(run_ends, self.length, left - numbers))
            with m.If(run_ends):
                m.d.sync += runs.eq(runs - 1)
            m.d.sync += Cat(taking, filling).eq(
                Mux(ends, 0, Mux(filling | self.i.payload.last, 0b10, 0b01)),
            )
            m.d.sync += dropping.eq(self.too_long)
        with m.If(dropping & self.i.valid & self.i.payload.last):
            m.d.sync += dropping.eq(0)
        with m.If(self.start):
            m.d.sync += [taking.eq(1), runs.eq(self.runs), left.eq(self.length)]
        return m
