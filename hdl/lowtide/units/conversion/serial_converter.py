"""Serial BFP converter: converts one number per cycle, and sends each complete group."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit, place
from lowtide.units.conversion.exponents import ExponentWindow
from lowtide.units.conversion.lane import Fp32Unpacker, MantissaQuantizer
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.stream.delay import delayed

__all__ = ["SerialBfpConverter"]

SPARE = 5
"""Cycles from the last write of a group to its first read from the queue, in which the next group is written."""


class SerialBfpConverter(Unit):
    """Serial BFP converter: converts FP32 to block floating point, one number per cycle.

    Its groups equal the groups of a `BfpConverter`. It has one unpacker and one quantizer. The numbers of a group, each
    reduced to the bits that the quantizer needs, wait in a queue until the group's last number arrives and its exponent
    code is known. Then the quantizer takes them one after the other, while the numbers of the next group arrive. The
    unit can accept a number in every cycle.

    Parameters
    ----------
    params : ConverterParams
        Format and rounding of the groups.

    Members
    -------
    bias : In(signed(9))
        Exponent bias ``B`` of the tensor.
        Steady from the cycle before the first number is offered until the last group leaves.
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
        """Cycles from the last number of a group to the group on ``o``, if nothing stalls.

        They include the queue, quantizing the whole group, and the stages before and after.
        """
        return Fp32Unpacker.latency + 2 + self.params.lanes - 1 + MantissaQuantizer.latency + 1

    @property
    def capacity(self) -> int:
        """Largest number of numbers between input and quantizer."""
        return self.params.lanes + SPARE

    def elaborate(self, platform):
        m = Module()
        params = self.params
        window = place(m, platform, "window", ExponentWindow(params), bias=self.bias, chunks=self.chunks)
        # Of the queue's depth, the memory stores all words but one, and the output register the last.
        m.submodules.numbers = numbers = SyncFIFOBuffered(width=self._number.size, depth=self.capacity + 1)
        groups = self.capacity // params.lanes + 1  # groups that can be complete at once
        m.submodules.records = records = SyncFIFOBuffered(width=self._record.size, depth=groups + 1)

        move = Signal()  # the quantizer and the stages after it advance
        pop = Signal()
        m.d.comb += pop.eq(move & records.r_rdy & numbers.r_rdy)
        take, filling, ends, last = self._intake(m, pop)
        self._read(m, platform, window, take, filling, ends, last, numbers, records)
        self._scale(m, platform, window, move, pop, numbers, records)
        return m

    def _intake(self, m: Module, pop: Value) -> tuple[Value, Value, Value, Value]:
        """Accept numbers while the queue has space, and pad the last group of a row with zeros.

        Returns whether a number enters the queue, whether it is padding, and whether a group and a row end with it.
        """
        reserved = Signal(range(self.capacity + 1))
        position = Signal(range(self.params.lanes))
        take, filling, ends, room = Signal(), Signal(), Signal(), Signal()
        last = Signal()
        m.d.comb += [
            room.eq(reserved != self.capacity),
            self.i.ready.eq(room & ~filling),
            take.eq(room & (filling | self.i.valid)),
            ends.eq(position == self.params.lanes - 1),
            last.eq(filling | self.i.payload.last),
        ]
        m.d.sync += reserved.eq(reserved + take - pop)
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
        """Queue numbers, and a record of each group with its last number."""
        unpacker = place(
            m, platform, "unpacker", Fp32Unpacker(self.params), enable=1, i=self.i.payload.number, top=window.top
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
            number.depth.eq(unpacker.depth | filling.replicate(self.params.depth)),
            number.largest.eq(unpacker.largest & ~filling),
            number.fraction.eq(unpacker.fraction),
            number.sign.eq(unpacker.sign),
            above.eq(unpacker.above & ~filling),
        ]
        with m.If(above):
            m.d.comb += code.eq(self.params.max_code)
        with m.Elif(~number.depth[self.params.exponent :].any()):
            m.d.comb += code.eq(~number.depth[: self.params.exponent])

        before, record = Signal(self._record), Signal(self._record)  # without and with this number
        m.d.comb += [
            record.code.eq(Mux(code > before.code, code, before.code)),
            record.exceeded.eq(before.exceeded | above),
            record.nonfinite.eq(before.nonfinite | (unpacker.nonfinite & ~filling)),
            record.last.eq(last),
            numbers.w_en.eq(there),
            numbers.w_data.eq(number),
            records.w_en.eq(there & ends),
            records.w_data.eq(record),
        ]
        with m.If(there):
            m.d.sync += before.eq(Mux(ends, 0, record))

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
        """Quantize the numbers of a group whose code is known, and assemble the group."""
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

        quantizer = place(
            m,
            platform,
            "quantizer",
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
        self._assemble(m, quantizer, move & there[-1], move & complete, register(record, MantissaQuantizer.latency))

    def _assemble(self, m: Module, quantizer: MantissaQuantizer, arrives: Value, complete: Value, record) -> None:
        """Collect magnitudes in a shift register, and send the group with its last magnitude."""
        group = self.o.payload.group
        earlier = Signal((self.params.lanes - 1) * (self.params.mantissa + 1), reset_less=True)
        lanes = Signal(len(Value.cast(group.lane)))
        saturated, count = Signal.like(self.saturated_elements), Signal.like(self.saturated_elements)
        m.d.comb += [
            lanes.eq(Cat(earlier, quantizer.magnitude, quantizer.negative)),
            count.eq(saturated + quantizer.saturated),
        ]
        with m.If(arrives):
            m.d.sync += [earlier.eq(lanes[self.params.mantissa + 1 :]), saturated.eq(Mux(complete, 0, count))]
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
