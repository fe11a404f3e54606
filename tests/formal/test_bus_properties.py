"""Proofs about the register buses, for all cycles and any manager that follows the protocol."""

import pytest
from amaranth.hdl import Assert, Assume, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.interfaces.axi_lite import AxiLite
from lowtide.interfaces.params import RegisterSpace
from lowtide.interfaces.wishbone import Wishbone


def before(m, value):
    """The value in the previous cycle; zero in the first."""
    held = Signal(len(value))
    m.d.sync += held.eq(value)
    return held


def unchanged(m, rule, valid, ready, *payload):
    """Assume or assert that an offered payload stays stable until it is accepted."""
    waited = Signal()
    m.d.comb += [waited.eq(before(m, valid & ~ready)), rule(~waited | valid)]
    m.d.comb += [rule(~waited | (before(m, part) == part)) for part in payload]


class OnABus(wiring.Component):
    """A bus with arbitrary inputs, and one arbitrary register; the other registers have arbitrary values."""

    def __init__(self, dut):
        self.dut = dut
        inputs = {name: In(port.shape) for name, port in dut.signature.members.items() if port.flow is In}
        super().__init__(inputs | {"register": In(dut.space.place_bits)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        m.d.comb += [
            getattr(dut, name).eq(getattr(self, name)) for name in self.signature.members if name != "register"
        ]
        begun = Signal()
        held = Signal(32)
        read = Signal(32)
        was_read = Signal()
        m.d.sync += begun.eq(1)
        m.d.comb += Assume(~begun | (before(m, self.register) == self.register))
        m.d.sync += [read.eq(held), was_read.eq(dut.address == self.register)]
        with m.If(dut.write & (dut.address == self.register)):
            m.d.sync += held.eq(dut.write_data)
        m.d.comb += Assume(~was_read | (self.read_data == read))
        self.claims(m, dut, held)
        return m


class AxiLiteKeepsItsRules(OnABus):
    """Offers stay stable, each access gets one correct response, and a write takes effect once, after both halves."""

    def claims(self, m, dut, held):
        channels = {
            name: (getattr(dut, f"s_axi_{name}valid"), getattr(dut, f"s_axi_{name}ready"))
            for name in ("aw", "w", "b", "ar", "r")
        }
        unchanged(m, Assume, *channels["aw"], dut.s_axi_awaddr)
        unchanged(m, Assume, *channels["w"], dut.s_axi_wdata, dut.s_axi_wstrb)
        unchanged(m, Assume, *channels["ar"], dut.s_axi_araddr)
        unchanged(m, Assert, *channels["b"], dut.s_axi_bresp)
        unchanged(m, Assert, *channels["r"], dut.s_axi_rresp, dut.s_axi_rdata)
        aw, w, b, ar, r = (valid & ready for valid, ready in channels.values())
        self.writes(m, dut, aw, w, b)
        self.reads(m, dut, held, ar, r)

    def is_wrong(self, address):
        return (address & 3).any() | ((address >> 2) >= self.dut.space.registers)

    def writes(self, m, dut, aw, w, b):
        owed = Signal()
        refused = Signal()
        wrong = Signal()
        waited = Signal(4)
        strobes = dut.s_axi_wstrb
        m.d.comb += [
            wrong.eq(self.is_wrong(dut.s_axi_awaddr)),
            Assert(aw == w),
            Assert(dut.write == (aw & (strobes == 15) & ~wrong)),
            Assert(~dut.write | ((dut.address == dut.s_axi_awaddr >> 2) & (dut.write_data == dut.s_axi_wdata))),
            Assert(dut.s_axi_bvalid == owed),
            Assert(~owed | (dut.s_axi_bresp == Mux(refused, 2, 0))),
            Assert(~aw | ~owed | b),
            Assert(waited <= 1),
        ]
        with m.If(aw):
            m.d.sync += [owed.eq(1), refused.eq(wrong | ((strobes != 0) & (strobes != 15)))]
        with m.Elif(b):
            m.d.sync += owed.eq(0)
        stalled = dut.s_axi_bvalid & ~dut.s_axi_bready
        m.d.sync += waited.eq(Mux(dut.s_axi_awvalid & dut.s_axi_wvalid & ~aw & ~stalled, waited + 1, 0))

    def reads(self, m, dut, held, ar, r):
        owed = Signal()
        refused = Signal()
        mine = Signal()
        due = Signal(32)
        waited = Signal(4)
        m.d.comb += [
            Assert(~dut.s_axi_rvalid | owed),
            Assert(~ar | ~owed),
            Assert(~(ar & dut.write)),
            Assert(~dut.s_axi_rvalid | (dut.s_axi_rresp == Mux(refused, 2, 0))),
            Assert(~(dut.s_axi_rvalid & mine & ~refused) | (dut.s_axi_rdata == due)),
            Assert(waited <= 4),
        ]
        with m.If(ar):
            m.d.sync += [
                owed.eq(1),
                refused.eq(self.is_wrong(dut.s_axi_araddr)),
                mine.eq(dut.s_axi_araddr >> 2 == self.register),
                due.eq(held),
            ]
        with m.Elif(r):
            m.d.sync += owed.eq(0)
        asked = dut.s_axi_arvalid | owed
        m.d.sync += waited.eq(Mux(asked & ~dut.s_axi_rvalid, waited + 1, 0))


class WishboneKeepsItsRules(OnABus):
    """A correct response follows in the next cycle, for one cycle; a write takes effect once, on a whole register."""

    def claims(self, m, dut, held):
        asked = Signal()
        wrong = Signal()
        answered = Signal()
        answer = before(m, asked)
        m.d.comb += [
            answered.eq(dut.wb_ack_o | dut.wb_err_o),
            asked.eq(dut.wb_cyc_i & dut.wb_stb_i & ~answered),
            wrong.eq((dut.wb_adr_i >= dut.space.registers) | (dut.wb_we_i & (dut.wb_sel_i != 15))),
            Assert(dut.write == (asked & dut.wb_we_i & ~wrong)),
            Assert(~dut.write | ((dut.address == dut.wb_adr_i) & (dut.write_data == dut.wb_dat_i))),
            Assert(dut.wb_ack_o == (answer & ~before(m, wrong))),
            Assert(dut.wb_err_o == (answer & before(m, wrong))),
            Assert(~(dut.wb_ack_o & before(m, dut.wb_adr_i == self.register)) | (dut.wb_dat_o == before(m, held))),
        ]


@pytest.mark.parametrize("registers", [5, 8])
@pytest.mark.parametrize(("bus", "kept"), [(AxiLite, AxiLiteKeepsItsRules), (Wishbone, WishboneKeepsItsRules)])
def test_a_bus_keeps_its_rules(prove, bus, kept, registers):
    prove(kept(bus(RegisterSpace(registers=registers))), depth=8, unbounded=True)
