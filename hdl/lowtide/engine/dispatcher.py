"""Dispatcher: a product becomes loads of its operands, and a run over its tiles."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.engine.operand import OperandLayout
from lowtide.engine.operand_planner import OperandPlanner
from lowtide.engine.params import EngineParams
from lowtide.engine.ping_pong_banks import PingPongBanks
from lowtide.engine.sequencer import sides_layout
from lowtide.formats.bfp import Bfp
from lowtide.netlist import Unit, place
from lowtide.units.stream.fifo import Fifo

__all__ = ["Dispatcher", "ProductLayout", "RunLayout"]

RUNS = 2  # in the queue, the one that is running among them


class ProductLayout(data.StructLayout):
    """A product of an operand A and an operand B.

    Parameters
    ----------
    a, b : OperandLayout
        Settings of an operand.

    Members
    -------
    a, b : OperandLayout
        The operands.
    load_a, load_b : 1 bit
        The operand is loaded; otherwise it is the one that was loaded last.
    find : 1 bit
        There is no product: of the operands that are marked to be loaded only the biases are found.
    """

    def __init__(self, a: OperandLayout, b: OperandLayout):
        super().__init__({"a": a, "b": b, "load_a": 1, "load_b": 1, "find": 1})


class RunLayout(data.StructLayout):
    """A run: what the sequencer has to know of both operands, and the results' scale."""

    def __init__(self, words: int, chunks_a: int, chunks_b: int):
        a, b = sides_layout(words, chunks_a), sides_layout(words, chunks_b)
        super().__init__({"a": a, "b": b, "scale": 10})


class Dispatcher(Unit):
    """Takes a product if it is legal, loads its operands as soon as there is room, and lets it run.

    While a product runs, the operands of the next one are loaded, and a third waits here.

    Parameters
    ----------
    rows, columns : int
        Lines of a panel of A, and of B.
    bfp : Bfp
        Format of the groups.
    params : EngineParams
        Buffers, numbers of a beat.

    Members
    -------
    start : In(1)
        Take ``product``. Without ``ready`` it is refused.
    product : In(ProductLayout)
        What to do.
    ready : Out(1)
        A product can be taken.
    refused : Out(1)
        In one cycle: a product is refused, and nothing comes of it.
    load, find : Out(2)
        Start a loader, bit 0 that of A, bit 1 that of B; it is only to find the bias.
    a, b : Out(OperandLayout)
        Settings of the operands.
    groups_a, size_a, groups_b, size_b : Out(range(words + 1))
        As of `OperandPlanner`.
    busy : In(2)
        The loader is at work.
    bias_a, bias_b : In(signed(9))
        Bias of the operand that it loads, or loaded last.
    write : Out(2)
        Bank into which each loader writes; from the cycle after ``load``.
    run_valid, run, run_ready : Out(1), Out(RunLayout), In(1)
        The product that runs; it is over.
    over : In(1)
        All results of a product are taken.
    idle, working : Out(1), Out(1)
        No product is in the engine; or there is one.
    """

    def __init__(self, rows: int, columns: int, bfp: Bfp, params: EngineParams):
        self.bfp, self.params = bfp, params
        self.layouts = [
            OperandLayout(bfp, chunk, lines * params.buffer_depth, params.lfsr_bits)
            for lines, chunk in ((rows, bfp.chunk_a), (columns, bfp.chunk_b))
        ]
        self._planners = [
            OperandPlanner(lines, bfp, chunk, params, layout)
            for (lines, chunk), layout in zip(((rows, bfp.chunk_a), (columns, bfp.chunk_b)), self.layouts, strict=True)
        ]
        self.run_layout = RunLayout(params.buffer_depth, *(planner.most_chunks for planner in self._planners))
        self.module_name = f"dispatcher_{self._planners[0].module_name}_{self._planners[1].module_name}_m{bfp.mantissa}"
        words = range(params.buffer_depth + 1)
        super().__init__(
            {
                "start": In(1),
                "product": In(ProductLayout(*self.layouts)),
                "ready": Out(1),
                "refused": Out(1),
                "load": Out(2),
                "find": Out(2),
                "a": Out(self.layouts[0]),
                "b": Out(self.layouts[1]),
                "groups_a": Out(words),
                "size_a": Out(words),
                "groups_b": Out(words),
                "size_b": Out(words),
                "busy": In(2),
                "bias_a": In(signed(9)),
                "bias_b": In(signed(9)),
                "write": Out(2),
                "run_valid": Out(1),
                "run": Out(self.run_layout),
                "run_ready": In(1),
                "over": In(1),
                "idle": Out(1),
                "working": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        product = Signal(self.product.shape())
        operands, wanted = [product.a, product.b], Cat(product.load_a, product.load_b)
        planning = Signal()
        issuing = Signal()
        started = Signal()
        m.d.comb += [self.ready.eq(~planning & ~issuing), self.a.eq(product.a), self.b.eq(product.b)]
        m.d.sync += started.eq(self.start & self.ready)
        with m.If(self.start & self.ready):
            m.d.sync += [product.eq(self.product), planning.eq(1)]
        planners = [
            place(m, platform, f"planner_{name}", planner, start=started & load, settings=operand)
            for name, planner, load, operand in zip("ab", self._planners, wanted, operands, strict=True)
        ]
        m.d.comb += [
            self.groups_a.eq(planners[0].groups),
            self.size_a.eq(planners[0].size),
            self.groups_b.eq(planners[1].groups),
            self.size_b.eq(planners[1].size),
        ]

        # Of either operand, the length of the one that was loaded last, if any was.
        known, lengths = (
            Signal(2),
            [Signal.like(operand.length, name=f"length_{n}") for n, operand in enumerate(operands)],
        )
        both = [Mux(load, operand.length, old) for load, operand, old in zip(wanted, operands, lengths, strict=True)]
        planned = Signal()
        legal = Signal()
        m.d.comb += [
            planned.eq(planning & ~started & ~(planners[0].busy | planners[1].busy)),
            legal.eq(
                (~wanted | Cat(planner.legal for planner in planners)).all()
                & Mux(product.find, wanted.any(), (known | wanted).all() & (both[0] == both[1]))
            ),
            self.refused.eq((self.start & ~self.ready) | (planned & ~legal)),
        ]
        left = Signal(2)  # to be loaded
        with m.If(planned):
            m.d.sync += [planning.eq(0), issuing.eq(legal), left.eq(wanted)]

        unfinished = Signal(
            8
        )  # products in runs and in results, each of a tile at least, of which there is room for few
        runs = Fifo(self.run_layout.size, RUNS)
        held = Signal(range(RUNS + 1))
        running = data.View(self.run_layout, runs.o_data)
        begun = Signal()
        begins = Signal()
        over = Signal()
        m.d.comb += [over.eq(runs.o_valid & self.run_ready), begins.eq(runs.o_valid & ~begun)]
        m.d.sync += begun.eq(runs.o_valid & ~over)
        run = Signal(self.run_layout)
        for n, (name, planner) in enumerate(zip("ab", planners, strict=True)):
            banks = PingPongBanks()
            loads = self.load[n] & ~product.find
            place(m, platform, f"banks_{name}", banks, load=loads, begins=begins & running[name].new)
            m.d.comb += [
                self.load[n].eq(issuing & left[n] & ~self.busy[n] & (product.find | banks.free)),
                self.find[n].eq(product.find),
                self.write[n].eq(banks.loaded),
                run[name].bank.eq(banks.loaded),
                run[name].new.eq(wanted[n]),
            ]
            side = Signal.like(run[name], name=f"side_{name}")
            m.d.comb += [run[name][field].eq(side[field]) for field in ("panels", "size", "chunks")]
            with m.If(loads):
                m.d.sync += [
                    known[n].eq(1),
                    lengths[n].eq(operands[n].length),
                    side.panels.eq(planner.panels),
                    side.size.eq(planner.size),
                    side.chunks.eq(operands[n].chunks),
                ]
            with m.If(self.load[n]):
                m.d.sync += left[n].eq(0)

        # Magnitudes of m bits are in units of 2**(B - (m - 1)).
        lowest = [self.bias_a - self.bfp.chunk_a * run.a.chunks, self.bias_b - self.bfp.chunk_b * run.b.chunks]
        push = Signal()
        m.d.comb += [
            run.scale.eq(lowest[0] + lowest[1] + 2),
            push.eq(issuing & ~left.any() & ~product.find & (held != RUNS)),
        ]
        with m.If(push | (issuing & product.find & ~left.any())):
            m.d.sync += issuing.eq(0)
        m.d.sync += [held.eq(held + push - over), unfinished.eq(unfinished + push - self.over)]
        place(m, platform, "runs", runs, i_valid=push, i_data=run.as_value(), o_ready=self.run_ready)
        m.d.comb += [
            self.run_valid.eq(runs.o_valid),
            self.run.eq(running),
            self.idle.eq(self.ready & ~unfinished.any() & ~self.busy.any()),
            self.working.eq(~self.idle),
        ]
        return m
