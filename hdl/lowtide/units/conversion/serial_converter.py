"""The serial BFP converter: a number a cycle in, and a group whenever enough have come."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit, place
from lowtide.units.conversion.exponent_window import ExponentWindow
from lowtide.units.conversion.fp32_unpacker import Fp32Unpacker
from lowtide.units.conversion.mantissa_quantizer import MantissaQuantizer
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.stream.delay import delayed

__all__ = ["SerialBfpConverter"]

SPARE = 5
"""Cycles from a group's last number to its first taken out of the queue, in which the next group comes already."""


class SerialBfpConverter(Unit):
    """Converts FP32 to block floating point, a number a cycle, with one reader and one scaler.

    What comes out is what a `BfpConverter` gives for the same groups. A group's numbers wait in a queue, as the few
    bits that matter, until the last of them is there and its code is known; then they are scaled one after the other
    while those of the next group come in. Numbers can be taken in every cycle.

    Parameters
    ----------
    params : ConverterParams
        Format of the groups, and how magnitudes are rounded.

    Members
    -------
    bias : In(signed(9))
        Bias of the tensor, ``B``. Steady from the cycle before the first number is offered until the last group leaves.
    chunks : In(range(max_chunks + 1))
        Chunks per magnitude, from 1 to ``max_chunks``; steady while ``bias`` is steady.
    i : In(stream of {"number": FP32, "last": 1})
        Numbers; ``last`` marks the last number of a row. The unit pads a short group with zeros, one per cycle.
    o : Out(stream of params.layout_o)
        Groups, with magnitudes in the low ``chunks * w`` bits.
    saturated_group : Out(1)
        High while the group on ``o`` exceeds the window: ``X - B > 2**e - 1``.
    saturated_elements : Out(range(lanes + 1))
        Saturated elements of the group on ``o``: infinities, and elements whose rounded magnitude exceeds the largest.
    nonfinite_group : Out(1)
        High while the group on ``o`` has a NaN or an infinity.
    nonfinite : Out(1)
        Sticky ``nonfinite_group``: high from the first such group on ``o`` until reset.
    random : In(random)
        Random word. Only with stochastic rounding.
    step : Out(1)
        High when a number or a padding zero uses the random word: the next one needs a new word. Only with stochastic
        rounding.
    row : Out(1)
        With ``step``: high with the last number of a row. Only with stochastic rounding.
    """

    def __init__(self, params: ConverterParams):
        self.params = params
        self.module_name = f"serial_bfp_converter_{params.name}"
        ports = {
            "bias": In(signed(9)),
            "chunks": In(range(params.max_chunks + 1)),
            "i": In(stream.Signature(data.StructLayout({"number": FP32, "last": 1}))),
            "o": Out(stream.Signature(params.layout_o)),
            "saturated_group": Out(1),
            "saturated_elements": Out(range(params.lanes + 1)),
            "nonfinite_group": Out(1),
            "nonfinite": Out(1),
        }
        if params.stochastic:
            ports |= {"random": In(params.random), "step": Out(1), "row": Out(1)}
        super().__init__(ports)
        number = {"depth": params.depth, "largest": 1, "fraction": params.fraction, "sign": 1}
        self._number = data.StructLayout(number)
        self._record = data.StructLayout({"code": params.exponent, "exceeded": 1, "nonfinite": 1, "last": 1})

    @property
    def latency(self) -> int:
        """Cycles from the last number of a group to that group offered, if nothing stalls.

        They are those of the queue, of scaling the whole group, and of the stages before and behind.
        """
        return Fp32Unpacker.latency + 2 + self.params.lanes - 1 + MantissaQuantizer.latency + 1

    @property
    def capacity(self) -> int:
        """Numbers that can be on their way to the scaler."""
        return self.params.lanes + SPARE

    def elaborate(self, platform):
        m = Module()
        params = self.params
        window = place(m, platform, "window", ExponentWindow(params), bias=self.bias, chunks=self.chunks)
        # The memory of such a queue holds one word less than its depth, and its register the other.
        m.submodules.numbers = numbers = SyncFIFOBuffered(width=self._number.size, depth=self.capacity + 1)
        groups = self.capacity // params.lanes + 1  # as many can be complete at once
        m.submodules.records = records = SyncFIFOBuffered(width=self._record.size, depth=groups + 1)

        move = Signal()  # the scaler and what is behind it go on
        pop = Signal()
        m.d.comb += pop.eq(move & records.r_rdy & numbers.r_rdy)
        take, filling, ends, last = self._intake(m, pop)
        self._read(m, platform, window, take, filling, ends, last, numbers, records)
        self._scale(m, platform, window, move, pop, numbers, records)
        return m

    def _intake(self, m: Module, pop: Value) -> tuple[Value, Value, Value, Value]:
        """Take numbers while there is room for them, and fill up the last group of a row.

        Returns whether a number is taken, whether it is filled in, whether a group ends, and whether a row does.
        """
        promised = Signal(range(self.capacity + 1))
        position = Signal(range(self.params.lanes))
        take, filling, ends, room = Signal(), Signal(), Signal(), Signal()
        last = Signal()
        m.d.comb += [
            room.eq(promised != self.capacity),
            self.i.ready.eq(room & ~filling),
            take.eq(room & (filling | self.i.valid)),
            ends.eq(position == self.params.lanes - 1),
            last.eq(filling | self.i.payload.last),
        ]
        m.d.sync += promised.eq(promised + take - pop)
        with m.If(take):
            m.d.sync += [position.eq(Mux(ends, 0, position + 1)), filling.eq(last & ~ends)]
        return take, filling, ends, last

    def _read(
        self,
        m: Module,
        platform,
        window: ExponentWindow,
        take: Value,
        filling: Value,
        ends: Value,
        last: Value,
        numbers: SyncFIFOBuffered,
        records: SyncFIFOBuffered,
    ) -> None:
        """Queue numbers as they come, and what is known of their group with the last of them."""
        reader = place(
            m, platform, "reader", Fp32Unpacker(self.params), enable=1, i=self.i.payload.number, top=window.top
        )
        there = take
        for _ in range(Fp32Unpacker.latency):
            earlier, there = there, Signal(name="there")
            m.d.sync += there.eq(earlier)
        filling, ends, last = (delayed(m, flag, Fp32Unpacker.latency) for flag in (filling, ends, last))

        number = Signal(self._number)
        above = Signal()
        code = Signal(self.params.exponent)
        m.d.comb += [
            number.depth.eq(reader.depth | filling.replicate(self.params.depth)),
            number.largest.eq(reader.largest & ~filling),
            number.fraction.eq(reader.fraction),
            number.sign.eq(reader.sign),
            above.eq(reader.above & ~filling),
        ]
        with m.If(above):
            m.d.comb += code.eq(self.params.max_code)
        with m.Elif(~number.depth[self.params.exponent :].any()):
            m.d.comb += code.eq(~number.depth[: self.params.exponent])

        so_far, record = Signal(self._record), Signal(self._record)  # of the numbers before this one, and with it
        m.d.comb += [
            record.code.eq(Mux(code > so_far.code, code, so_far.code)),
            record.exceeded.eq(so_far.exceeded | above),
            record.nonfinite.eq(so_far.nonfinite | (reader.nonfinite & ~filling)),
            record.last.eq(last),
            numbers.w_en.eq(there),
            numbers.w_data.eq(number),
            records.w_en.eq(there & ends),
            records.w_data.eq(record),
        ]
        with m.If(there):
            m.d.sync += so_far.eq(Mux(ends, 0, record))

    def _scale(
        self,
        m: Module,
        platform,
        window: ExponentWindow,
        move: Value,
        pop: Value,
        numbers: SyncFIFOBuffered,
        records: SyncFIFOBuffered,
    ) -> None:
        """Scale the numbers of a group whose code is known, and put them together."""
        params = self.params

        def register(value, cycles: int = 1):
            return delayed(m, value, cycles, enable=move)

        number, record = Signal(self._number), Signal(self._record)
        top_depth = Signal(params.top_depth)
        position = Signal(range(params.lanes))
        ends = Signal()
        m.d.comb += [
            number.eq(numbers.r_data),
            record.eq(records.r_data),
            top_depth.eq(~record.code - window.empty),
            ends.eq(position == params.lanes - 1),
            numbers.r_en.eq(pop),
            records.r_en.eq(pop & ends),
        ]
        with m.If(pop):
            m.d.sync += position.eq(Mux(ends, 0, position + 1))

        scaler = place(
            m,
            platform,
            "scaler",
            MantissaQuantizer(params),
            enable=move,
            depth=number.depth,
            largest=number.largest,
            fraction=number.fraction,
            sign=number.sign,
            top_depth=top_depth,
            mask=window.mask,
            **({"random": self.random} if params.stochastic else {}),
        )
        there: list[Value] = [pop]
        for _ in range(MantissaQuantizer.latency):
            there.append(Signal(name="there"))
            with m.If(move):
                m.d.sync += there[-1].eq(there[-2])
        if params.stochastic:
            row = register(ends & record.last, MantissaQuantizer.draw)
            m.d.comb += [self.step.eq(move & there[MantissaQuantizer.draw]), self.row.eq(row)]

        complete = Signal()
        m.d.comb += [
            complete.eq(there[-1] & register(ends, MantissaQuantizer.latency)),
            move.eq(~complete | ~self.o.valid | self.o.ready),
        ]
        self._assemble(m, scaler, move & there[-1], move & complete, register(record, MantissaQuantizer.latency))

    def _assemble(self, m: Module, scaler: MantissaQuantizer, comes: Value, complete: Value, record) -> None:
        """Gather magnitudes in a shift register, and offer them with the last one."""
        group = self.o.payload.group
        earlier = Signal((self.params.lanes - 1) * (self.params.mantissa + 1), reset_less=True)
        lanes = Signal(len(Value.cast(group.lane)))
        held, count = Signal.like(self.saturated_elements), Signal.like(self.saturated_elements)
        m.d.comb += [
            lanes.eq(Cat(earlier, scaler.magnitude, scaler.negative)),
            count.eq(held + scaler.saturated),
        ]
        with m.If(comes):
            m.d.sync += [earlier.eq(lanes[self.params.mantissa + 1 :]), held.eq(Mux(complete, 0, count))]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(complete):
            m.d.sync += [
                self.o.valid.eq(1),
                group.lane.eq(lanes),
                group.exponent.eq(record.code),
                self.o.payload.last.eq(record.last),
                self.saturated_group.eq(record.exceeded),
                self.saturated_elements.eq(count),
                self.nonfinite_group.eq(record.nonfinite),
                self.nonfinite.eq(self.nonfinite | record.nonfinite),
            ]
