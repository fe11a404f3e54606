"""Dispatcher: checks products, loads their operands, and queues their runs."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from lowtide.array.terms.settings import Settings
from lowtide.engine.held_operands import HeldLayout, LastOperand, OperandSlots
from lowtide.engine.integer_layout import IntegerLayout
from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS, STOCHASTIC, OperandLayout
from lowtide.engine.operand_format import OperandFormat
from lowtide.engine.operand_planner import OperandPlanner
from lowtide.engine.output_stage import PRODUCTS
from lowtide.engine.result_layout import FinishLayout, ResultLayout
from lowtide.engine.sequencer import sides_layout
from lowtide.engine.sum_planner import SumPlanner
from lowtide.netlist import Unit, place
from lowtide.units.logic import at_most
from lowtide.units.stream.buffers import Fifo

__all__ = ["Dispatcher", "ProductLayout", "RunLayout"]

RUNS = 2  # in the queue, including the current one

AnyLayout = OperandLayout | IntegerLayout
"""Settings of an operand."""


class ProductLayout(data.StructLayout):
    """Settings of a product of operands A and B.

    Parameters
    ----------
    a, b : OperandLayout or IntegerLayout
        Settings of an operand.
    sums : bool
        Whether the engine has sums on chip.
    c : ResultLayout, optional
        Settings of the results.
    terms : Settings, optional
        Settings of term revealing.

    Members
    -------
    a, b : OperandLayout or IntegerLayout
        Settings of the operands.
    c : ResultLayout
        Settings of the results; only with such a layout.
    terms : Settings
        Settings of term revealing; only with such a layout.
    load_a, load_b : 1 bit
        1: load the operand. 0: reuse the operand loaded last or, with slots, the operand in the slot.
    find : 1 bit
        1: compute no product, and only find the biases of the operands to be loaded.
    add : 1 bit
        1: add the sums on chip. Only with ``sums``.
    keep : 1 bit
        1: keep the sums on chip, and send no results. Only with ``sums``.
    """

    def __init__(
        self,
        a: AnyLayout,
        b: AnyLayout,
        sums: bool,
        c: ResultLayout | None,
        terms: Settings | None = None,
    ):
        flags = {"add": 1, "keep": 1} if sums else {}
        more = {name: layout for name, layout in (("c", c), ("terms", terms)) if layout}
        super().__init__({"a": a, "b": b, "load_a": 1, "load_b": 1, "find": 1, **flags, **more})


class RunLayout(data.StructLayout):
    """Run of a product: the sequencer's settings of both operands, the results' scale, use of sums, order of tiles.

    In an engine for terms, also the settings of term revealing.
    """

    def __init__(
        self,
        words: int,
        chunks_a: int,
        chunks_b: int,
        banks: int,
        sums: bool,
        orders: bool,
        terms: Settings | None = None,
    ):
        a, b = sides_layout(words, chunks_a, banks), sides_layout(words, chunks_b, banks)
        flags = ({"add": 1, "keep": 1} if sums else {}) | ({"row_order": 1} if orders else {})
        flags |= {"terms": terms} if terms else {}
        super().__init__({"a": a, "b": b, "scale": 10, **flags})


class Dispatcher(Unit):
    """Dispatcher: accepts legal products, loads their operands as soon as a bank is free, and queues their runs.

    While one product runs, the operands of the next one are loaded, and a third product waits in the dispatcher.

    Parameters
    ----------
    operands : OperandFormat
        Format of the operands, with the buffers and the stream widths ``params``.

    Members
    -------
    start : In(1)
        Pulses for one cycle to start ``product``. Refused while ``ready`` is low.
    product : In(ProductLayout(*layouts, sums, results, operands.reveals))
        Settings of the product.
    ready : Out(1)
        High while a product is accepted.
    refused : Out(1)
        Pulses for one cycle when a product is refused; the dispatcher then drops it.
    load : Out(2)
        Pulses for one cycle to start a loader: bit 0 for A, bit 1 for B.
    find : Out(2)
        High with ``load`` when the loader only finds the bias.
    a : Out(layouts[0])
        Settings of operand A.
    b : Out(layouts[1])
        Settings of operand B.
    groups_a, groups_b : Out(range(params.buffer_depth + 1))
        Groups per vector; only if operands may arrive packed.
    size_a, size_b : Out(range(params.buffer_depth + 1))
        Words per panel.
    row_a, row_b : Out(range(layouts[0].most_row + 1)), Out(range(layouts[1].most_row + 1))
        Words per vector of a packed operand; only if operands may arrive packed.
    busy : In(2)
        High while a loader is busy: bit 0 for A, bit 1 for B.
    bias_a, bias_b : In(signed(9))
        Exponent bias that the loader uses; an idle loader keeps the bias that it used last.
    write_a, write_b : Out(range(params.banks))
        Bank into which each loader writes, from the cycle after ``load``.
    run_valid : Out(1)
        High while ``run`` is valid.
    run : Out(run_layout)
        Current product.
    run_ready : In(1)
        Pulses for one cycle when the current product is complete.
    over : In(range(3 if sums else 2))
        Products that are completed in this cycle.
    finish_valid : Out(1)
        Pulses for one cycle with ``finish`` when a product with results is added to the runs; only with an
        `OutputStage`.
    finish : Out(finish_layout)
        What follows the product, and the size of its results; only with an `OutputStage`.
    idle : Out(1)
        High while no product is in the engine.
    working : Out(1)
        High while a product is in the engine.
    """

    def __init__(self, operands: OperandFormat):
        self.operands, self.params = operands, operands.params
        params = self.params
        rows, columns = operands.rows, operands.columns
        self.layouts = operands.layouts
        self._planners = [
            OperandPlanner(vectors, params.buffer_depth, layout, operands.packs)
            for vectors, layout in zip((rows, columns), self.layouts, strict=True)
        ]
        tiles = params.sum_tiles(rows, columns)
        self.sums = any(tiles)
        max_k = operands.format.max_k
        self._sum_planner = SumPlanner(params.buffer_depth, max_k, tiles, params.sum_max_k) if self.sums else None
        self.results = ResultLayout(operands.bfp, params) if params.finishes else None
        self.bias_tiles = params.bias_tiles(columns)
        self.run_layout = RunLayout(
            params.buffer_depth,
            *(layout.most_chunks for layout in self.layouts),
            banks=params.banks,
            sums=self.sums,
            orders=params.finishes,
            terms=operands.reveals,
        )
        self.module_name = (
            f"dispatcher_{self._planners[0].module_name}_{self._planners[1].module_name}_{operands.name}"
            + (f"_{self._sum_planner.module_name}" if self._sum_planner else "")
            + (f"_t{self.bias_tiles}" if params.post_operations else "")
            + (f"_c{self.bias_tiles}" if params.column_scale else "")
            + (f"_r{params.lfsr_bits}" if params.packed_results else "")
            + (f"_b{params.slots}" if params.slots else "")
        )
        finish = {}
        if self.results:
            self.finish_layout = FinishLayout(
                self.results, rows * params.buffer_depth, columns * params.buffer_depth, params.buffer_depth
            )
            finish = {"finish_valid": Out(1), "finish": Out(self.finish_layout)}
        words = range(params.buffer_depth + 1)
        super().__init__(
            {
                "start": In(1),
                "product": In(ProductLayout(*self.layouts, sums=self.sums, c=self.results, terms=operands.reveals)),
                "ready": Out(1),
                "refused": Out(1),
                "load": Out(2),
                "find": Out(2),
                "a": Out(self.layouts[0]),
                "b": Out(self.layouts[1]),
                "size_a": Out(words),
                "size_b": Out(words),
                **(
                    {"groups_a": Out(words), "groups_b": Out(words)}
                    | {
                        f"row_{name}": Out(range(layout.most_row + 1))
                        for name, layout in zip("ab", self.layouts, strict=True)
                    }
                    if operands.packs
                    else {}
                ),
                "busy": In(2),
                "bias_a": In(signed(9)),
                "bias_b": In(signed(9)),
                "write_a": Out(range(params.banks)),
                "write_b": Out(range(params.banks)),
                "run_valid": Out(1),
                "run": Out(self.run_layout),
                "run_ready": In(1),
                "over": In(range(3 if self.sums else 2)),
                **finish,
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
            self.size_a.eq(planners[0].size),
            self.size_b.eq(planners[1].size),
        ]
        packed = Signal(2, name="arrive_packed")  # "packed" is reserved in SystemVerilog
        if self.operands.packs:
            m.d.comb += [
                self.groups_a.eq(planners[0].groups),
                self.groups_b.eq(planners[1].groups),
                self.row_a.eq(planners[0].row),
                self.row_b.eq(planners[1].row),
                packed.eq(Cat(layout.packed(of) for layout, of in zip(self.layouts, operands, strict=True))),
            ]

        holders = [self._holder(n) for n in range(2)]
        held = [holder.held for holder in holders]
        known = Cat(holder.known for holder in holders)
        both = [
            Mux(load, operand.length, old.length) for load, operand, old in zip(wanted, operands, held, strict=True)
        ]
        planned = Signal()
        legal = Signal()
        fits = (~wanted | Cat(planner.legal for planner in planners)).all() & Mux(
            product.find, wanted.any() & ~(wanted & packed).any(), (known | wanted).all() & (both[0] == both[1])
        )
        if self._sum_planner:
            fits &= self._sum_planner.legal
        results_legal = Signal()
        if self.results:
            fits &= results_legal
        if self.operands.reveals:
            fits &= self.operands.accepts(product.terms)
        m.d.comb += [
            planned.eq(planning & ~started & ~(planners[0].busy | planners[1].busy)),
            legal.eq(fits),
            self.refused.eq((self.start & ~self.ready) | (planned & ~legal)),
        ]
        left = Signal(2)  # operands still to load
        with m.If(planned):
            m.d.sync += [planning.eq(0), issuing.eq(legal), left.eq(wanted)]

        unfinished = Signal(8)  # products in runs and results; each has at least one tile, and few tiles fit
        runs = Fifo(self.run_layout.size, RUNS)
        queued = Signal(range(RUNS + 1))
        running = data.View(self.run_layout, runs.o_data)
        over = Signal()
        push = Signal()
        m.d.comb += over.eq(runs.o_valid & self.run_ready)
        run = Signal(self.run_layout)
        for n, (name, holder) in enumerate(zip("ab", holders, strict=True)):
            m.d.comb += [
                self.load[n].eq(issuing & left[n] & ~self.busy[n] & (product.find | holder.free)),
                self.find[n].eq(product.find),
                getattr(self, f"write_{name}").eq(holder.loading),
                run[name].new.eq(wanted[n]),
                *(run[name][field].eq(holder.held[field]) for field in ("panels", "size", "chunks")),
            ]
            with m.If(self.load[n]):
                m.d.sync += left[n].eq(0)
        begun = Signal()  # the current run is not in its first cycle
        m.d.sync += begun.eq(runs.o_valid & ~over)
        for n, (name, holder, planner) in enumerate(zip("ab", holders, planners, strict=True)):
            operand = operands[n]
            new = Signal(holder.layout, name=f"loaded_{name}")
            m.d.comb += [
                new.panels.eq(planner.panels),
                new.size.eq(planner.size),
                new.chunks.eq(self.layouts[n].chunks(operand)),
                *(new[field].eq(operand[field]) for field in ("length", "vectors")),
                new.bias.eq(getattr(self, f"bias_{name}")),
            ]
            if self.params.slots:
                bank, uses = operand.slot, {"slot": operand.slot, "push": push, "over": over}
                uses["over_slot"] = running[name].bank
            else:
                bank, uses = holder.loading, {"begins": runs.o_valid & ~begun & running[name].new}
            m.d.comb += run[name].bank.eq(bank)
            place(
                m, platform, f"held_{name}", holder, load=self.load[n] & ~product.find, operand=new.as_value(), **uses
            )

        room = queued != RUNS
        storing = Cat(holder.storing for holder in holders).any() if self.params.slots else Const(0)
        if self.results:
            room &= unfinished < PRODUCTS
            panels_b = Mux(product.load_b, planners[1].panels, held[1].panels)
            kept = product.keep if self.sums else Const(0)
            m.d.comb += results_legal.eq(product.find | kept | self._results_legal(product.c, panels_b))
            m.d.comb += self.finish_valid.eq(push & ~kept)
            self._finish(m, product, held, run)
        m.d.comb += [
            run.scale.eq(self.operands.scale([of.bias for of in held], (run.a.chunks, run.b.chunks))),
            push.eq(issuing & ~left.any() & ~storing & ~product.find & room),
        ]
        if self.operands.reveals:
            m.d.comb += run.terms.eq(product.terms)
        with m.If(push | (issuing & product.find & ~left.any())):
            m.d.sync += issuing.eq(0)
        if self._sum_planner:
            self._plan_sums(m, platform, product, planners, held, both[0], planned & legal)
            m.d.comb += [run.add.eq(product.add), run.keep.eq(product.keep)]
        m.d.sync += [queued.eq(queued + push - over), unfinished.eq(unfinished + push - self.over)]
        place(m, platform, "runs", runs, i_valid=push, i_data=run.as_value(), o_ready=self.run_ready)
        m.d.comb += [
            self.run_valid.eq(runs.o_valid),
            self.run.eq(running),
            self.idle.eq(self.ready & ~unfinished.any() & ~self.busy.any()),
            self.working.eq(~self.idle),
        ]
        return m

    def _results_legal(self, settings, panels: Value) -> Value:
        """Whether the settings of the results are legal for a product with these panels of B."""
        legal = Const(1)
        if self.params.post_operations:
            legal &= ~settings.add_bias | at_most(panels, self.bias_tiles)
        if self.params.column_scale:
            legal &= ~settings.scale | at_most(panels, self.bias_tiles)
        if self.params.packed_results and self.operands.bfp is None:
            legal &= ~settings.packed | ((settings.bias >= LEAST_BIAS) & (settings.bias <= MOST_BIAS))
        elif self.params.packed_results:
            most = self.layouts[0].most_chunks
            legal &= ~settings.packed | (
                (settings.chunks != 0)
                & at_most(settings.chunks, most)
                & at_most(settings.rounding, STOCHASTIC)
                & ((settings.rounding != STOCHASTIC) | (settings.seed != 0))
                & (settings.bias >= LEAST_BIAS)
                & (settings.bias <= MOST_BIAS)
            )
        return legal

    def _holder(self, n: int) -> LastOperand | OperandSlots:
        """The holder of operand A or B."""
        of = self.layouts[n]
        layout = HeldLayout(self.params.buffer_depth, of.most_chunks, of.max_k, of.legal["vectors"][-1])
        return OperandSlots(layout, self.params.slots, RUNS) if self.params.slots else LastOperand(layout)

    def _finish(self, m: Module, product, held: list[data.View], run) -> None:
        """Send what follows each product, with the numbers of vectors of its operands."""
        settings = product.c
        names = "scale", "add_bias", "residual", "packed"
        ordered = [settings[name] for name in names if name in settings.shape().members]
        m.d.comb += [
            self.finish.vectors.eq(held[0].vectors),
            self.finish.length.eq(held[1].vectors),
            self.finish.settings.eq(settings),
            self.finish.across.eq(held[1].panels),
            run.row_order.eq(Cat(ordered).any()),
        ]

    def _plan_sums(self, m, platform, product, planners, held, length, take):
        """Place the sum planner: a reused operand has the panels, chunks and bias with which it was loaded."""
        wanted = Cat(product.load_a, product.load_b)
        panels, biases, chunks, auto = [], [], [], []
        for load, operand, layout, planner, old in zip(
            wanted, (product.a, product.b), self.layouts, planners, held, strict=True
        ):
            panels.append(Mux(load, planner.panels, old.panels))
            biases.append(Mux(load, operand.bias, old.bias))
            chunks.append(Mux(load, layout.chunks(operand), old.chunks))
            auto.append(layout.auto(operand))
        place(
            m,
            platform,
            "sum_planner",
            self._sum_planner,
            add=product.add,
            keep=product.keep,
            free=product.find | (wanted & Cat(auto)).any(),
            panels_a=panels[0],
            panels_b=panels[1],
            scale=self.operands.scale(biases, chunks)[:10].as_signed(),
            length=length,
            take=take,
        )
