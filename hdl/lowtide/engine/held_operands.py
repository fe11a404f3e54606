"""Operands that a buffer holds: their sizes for products that use them again, and the banks that may be written."""

from amaranth.hdl import Array, Module, Signal, signed
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place

__all__ = ["HeldLayout", "LastOperand", "OperandSlots", "PingPongBanks", "SlotReaders"]


class HeldLayout(data.StructLayout):
    """What products need to know of an operand in a buffer.

    Parameters
    ----------
    words : int
        Words per bank of the buffer.
    most_chunks : int
        Maximum number of chunks per magnitude.
    max_k : int
        Maximum elements per vector.
    vectors : int
        Maximum number of vectors.

    Members
    -------
    panels, size : range(words + 1)
        Panels of the operand, and words per panel.
    chunks : range(most_chunks + 1)
        Chunks per magnitude.
    length : range(max_k + 1)
        Elements per vector.
    vectors : range(vectors + 1)
        Number of vectors.
    bias : signed(9)
        Exponent bias.
    """

    def __init__(self, words: int, most_chunks: int, max_k: int, vectors: int):
        super().__init__(
            {
                "panels": range(words + 1),
                "size": range(words + 1),
                "chunks": range(most_chunks + 1),
                "length": range(max_k + 1),
                "vectors": range(vectors + 1),
                "bias": signed(9),
            }
        )


class PingPongBanks(Unit):
    """Ping-pong banks: tracks the two banks of an operand buffer.

    Loading an operand occupies a bank. The bank becomes free when the first run with the next operand starts; until
    then further runs may reuse its operand.

    Members
    -------
    free : Out(1)
        High while an operand can be loaded.
    load : In(1)
        Pulses for one cycle when loading into bank ``write`` starts. Only while ``free`` is high.
    begins : In(1)
        Pulses for one cycle when the first run with a new operand starts.
    write : Out(1)
        Bank of the next operand to load.
    loaded : Out(1)
        Bank of the operand loaded last.
    """

    def __init__(self):
        self.module_name = "ping_pong_banks"
        super().__init__({"free": Out(1), "load": In(1), "begins": In(1), "write": Out(1), "loaded": Out(1)})

    def elaborate(self, platform):
        m = Module()
        taken = Signal(range(3))  # occupied banks, including the bank of a run
        used = Signal()
        m.d.comb += [self.free.eq(taken != 2), self.loaded.eq(~self.write)]
        m.d.sync += [taken.eq(taken + self.load - (self.begins & used)), used.eq(used | self.begins)]
        with m.If(self.load):
            m.d.sync += self.write.eq(~self.write)
        return m


class LastOperand(Unit):
    """Last operand: holds what products need to know of the operand loaded last, whose buffer has two banks.

    Parameters
    ----------
    layout : HeldLayout

    Members
    -------
    free : Out(1)
        High while an operand can be loaded.
    load : In(1)
        Pulses for one cycle when loading of ``operand`` starts. Only while ``free`` is high.
    operand : In(layout)
        The operand that is loaded; ``operand.bias`` is the bias that the loader used last.
    begins : In(1)
        Pulses for one cycle when the first run with a new operand starts.
    loading : Out(1)
        Bank into which the loader writes, from the cycle after ``load``.
    known : Out(1)
        High if an operand has been loaded.
    held : Out(layout)
        The operand loaded last, from the cycle after ``load``.
    """

    def __init__(self, layout: HeldLayout):
        self.layout = layout
        self.module_name = "last_operand_" + "_".join(str(field.width) for _, field in layout)
        super().__init__(
            {
                "free": Out(1),
                "load": In(1),
                "operand": In(layout),
                "begins": In(1),
                "loading": Out(1),
                "known": Out(1),
                "held": Out(layout),
            }
        )

    def elaborate(self, platform):
        m = Module()
        banks = place(m, platform, "banks", PingPongBanks(), load=self.load, begins=self.begins)
        held = Signal(self.layout)
        m.d.comb += [
            self.free.eq(banks.free),
            self.loading.eq(banks.loaded),
            self.held.eq(held),
            self.held.bias.eq(self.operand.bias),
        ]
        with m.If(self.load):
            m.d.sync += self.known.eq(1)
            m.d.sync += [held[name].eq(self.operand[name]) for name, _ in self.layout if name != "bias"]
        return m


class SlotReaders(Unit):
    """Slot readers: counts the runs that read each slot of an operand buffer, so that no load overwrites a slot.

    A run is waiting or current from its ``push`` to its ``over``. A slot is free while no such run reads it.

    Parameters
    ----------
    slots : int
        Slots of the buffer.
    runs : int
        Most runs that are waiting or current.

    Members
    -------
    slot : In(range(slots))
        Slot of the operand of the next product.
    free : Out(1)
        High while an operand can be loaded into ``slot``.
    push : In(1)
        Pulses for one cycle when a run that reads ``slot`` is added.
    over : In(1)
        Pulses for one cycle when a run is complete.
    over_slot : In(range(slots))
        Slot that the complete run has read.
    """

    def __init__(self, slots: int, runs: int):
        self.slots, self.runs = slots, runs
        self.module_name = f"slot_readers_{slots}_{runs}"
        slot = range(slots)
        super().__init__({"slot": In(slot), "free": Out(1), "push": In(1), "over": In(1), "over_slot": In(slot)})

    def elaborate(self, platform):
        m = Module()
        readers = [Signal(range(self.runs + 1), name=f"readers_{n}") for n in range(self.slots)]
        m.d.comb += self.free.eq(~Array(readers)[self.slot].any())
        for n, count in enumerate(readers):
            added, removed = self.push & (self.slot == n), self.over & (self.over_slot == n)
            m.d.sync += count.eq(count + added - removed)
        return m


class OperandSlots(Unit):
    """Operand slots: holds what products need to know of the operand in each slot of a buffer.

    Parameters
    ----------
    layout : HeldLayout
    slots : int
        Slots of the buffer, a power of two.
    runs : int
        Most runs that are waiting or current.

    Members
    -------
    slot : In(range(slots))
        Slot of the operand of the next product.
    free : Out(1)
        High while an operand can be loaded into ``slot``.
    load : In(1)
        Pulses for one cycle when loading of ``operand`` into ``slot`` starts. Only while ``free`` is high.
    operand : In(layout)
        The operand that is loaded, from ``load`` to the cycle after it; ``operand.bias`` one cycle after ``load``.
    storing : Out(1)
        High in the cycle after ``load``, when ``held`` is not valid yet.
    push, over, over_slot : In(1), In(1), In(range(slots))
        Runs that are added and completed, see `SlotReaders`.
    loading : Out(range(slots))
        Slot into which the loader writes, from the cycle after ``load``.
    known : Out(1)
        High if an operand has been loaded into ``slot``.
    held : Out(layout)
        The operand in ``slot``.
    """

    def __init__(self, layout: HeldLayout, slots: int, runs: int):
        self.layout, self.slots, self.runs = layout, slots, runs
        fields = "_".join(str(field.width) for _, field in layout)
        self.module_name = f"operand_slots_{slots}_{runs}_{fields}"
        super().__init__(
            {
                "slot": In(range(slots)),
                "free": Out(1),
                "load": In(1),
                "operand": In(layout),
                "storing": Out(1),
                "push": In(1),
                "over": In(1),
                "over_slot": In(range(slots)),
                "loading": Out(range(slots)),
                "known": Out(1),
                "held": Out(layout),
            }
        )

    def elaborate(self, platform):
        m = Module()
        readers = place(
            m,
            platform,
            "readers",
            SlotReaders(self.slots, self.runs),
            slot=self.slot,
            push=self.push,
            over=self.over,
            over_slot=self.over_slot,
        )
        m.submodules.operands = operands = Memory(shape=self.layout, depth=self.slots, init=[])
        write, read = operands.write_port(), operands.read_port(domain="comb")
        known = Signal(self.slots)
        m.d.comb += [
            self.free.eq(readers.free),
            write.addr.eq(self.loading),
            write.data.eq(self.operand),
            write.en.eq(self.storing),
            read.addr.eq(self.slot),
            self.held.eq(read.data),
            self.known.eq(known.bit_select(self.slot, 1)),
        ]
        m.d.sync += self.storing.eq(self.load)
        with m.If(self.load):
            m.d.sync += [self.loading.eq(self.slot), known.bit_select(self.slot, 1).eq(1)]
        return m
