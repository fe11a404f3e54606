"""AXI4-Lite: subordinate for registers on a plain bus."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.interfaces.params import RegisterSpace
from lowtide.netlist import Unit

__all__ = ["AxiLite"]


class AxiLite(Unit):
    """AXI4-Lite subordinate: accesses registers for an AXI4-Lite manager.

    A write is accepted once its address and its data are both valid, in either order, so neither needs a register. The
    two ready signals rise together for one cycle, in which the register is written.

    The response is ``SLVERR`` for an access without effect: beyond the last register, at an address that is not a
    multiple of four, or a write of some but not all bytes of a register. The response to a write of no bytes is
    ``OKAY``. The data of a refused read are meaningless. ``DECERR`` is reserved for interconnects, which alone know
    that no subordinate is at an address.

    A write takes two cycles from its later valid to ``bvalid``, a read three cycles to ``rvalid``. Each channel may
    stall. If a read and a write arrive at once, the write is first. Neither delays the other by more than one cycle.

    Parameters
    ----------
    space : RegisterSpace
        Registers to access.

    Members
    -------
    s_axi_awaddr, s_axi_araddr : In(space.place_bits + 2)
        Byte address of a write, of a read.
    s_axi_awprot, s_axi_arprot : In(3)
        Ignored: protection is left to the system.
    s_axi_awvalid, s_axi_wvalid, s_axi_arvalid : In(1)
        High while an address, or the data of a write, is valid.
    s_axi_awready, s_axi_wready, s_axi_arready : Out(1)
        High when an address, or the data of a write, is accepted.
    s_axi_wdata : In(32)
        Data to write.
    s_axi_wstrb : In(4)
        Byte enables: all or none.
    s_axi_bresp, s_axi_rresp : Out(2)
        Response to a write, to a read: ``OKAY`` or ``SLVERR``.
    s_axi_bvalid, s_axi_rvalid : Out(1)
        High while a response is valid.
    s_axi_bready, s_axi_rready : In(1)
        High when the manager accepts a response.
    s_axi_rdata : Out(32)
        Data of a read.
    address : Out(space.place_bits)
        Number of a register.
    write : Out(1)
        Pulses for one cycle to write the register.
    write_data : Out(32)
        Data to write.
    read_data : In(32)
        Content of the register, one cycle after ``address``.
    """

    prefix = "s_axi"

    def __init__(self, space: RegisterSpace):
        self.space = space
        self.module_name = f"axi_lite_{space.registers}"
        address = space.place_bits + 2
        channels = {
            "aw": {"addr": In(address), "prot": In(3), "valid": In(1), "ready": Out(1)},
            "w": {"data": In(32), "strb": In(4), "valid": In(1), "ready": Out(1)},
            "b": {"resp": Out(2), "valid": Out(1), "ready": In(1)},
            "ar": {"addr": In(address), "prot": In(3), "valid": In(1), "ready": Out(1)},
            "r": {"data": Out(32), "resp": Out(2), "valid": Out(1), "ready": In(1)},
        }
        super().__init__(
            {f"s_axi_{channel}{name}": port for channel, ports in channels.items() for name, port in ports.items()}
            | {"address": Out(space.place_bits), "write": Out(1), "write_data": Out(32), "read_data": In(32)}
        )

    def elaborate(self, platform):
        m = Module()
        writes = Signal()  # address and data of a write are valid, and the response channel is free
        reads = Signal()
        writing = Signal()  # a register is written in this cycle
        reading = Signal()  # a register is read in this cycle
        read_valid = Signal()  # the data of a read are valid
        m.d.comb += [
            writes.eq(self.s_axi_awvalid & self.s_axi_wvalid & ~writing & (~self.s_axi_bvalid | self.s_axi_bready)),
            reads.eq(self.s_axi_arvalid & ~reading & ~read_valid & (~self.s_axi_rvalid | self.s_axi_rready) & ~writes),
            Cat(self.s_axi_awready, self.s_axi_wready).eq(writing.replicate(2)),
            self.s_axi_arready.eq(reading),
        ]
        m.d.sync += [writing.eq(writes), reading.eq(reads), read_valid.eq(reading)]

        at = Signal.like(self.s_axi_awaddr)
        wrong = Signal()  # no register at that address
        partial = Signal()  # a write of some but not all bytes
        strobes = self.s_axi_wstrb
        m.d.comb += [
            at.eq(Mux(reading, self.s_axi_araddr, self.s_axi_awaddr)),
            wrong.eq(at[:2].any() | (at[2:] >= self.space.registers)),
            partial.eq(strobes.any() & ~strobes.all()),
            self.address.eq(at[2:]),
            self.write.eq(writing & strobes.all() & ~wrong),
            self.write_data.eq(self.s_axi_wdata),
        ]
        refused_write = Signal()
        refused_read = Signal()
        with m.If(writing):
            m.d.sync += [self.s_axi_bvalid.eq(1), refused_write.eq(wrong | partial)]
        with m.Elif(self.s_axi_bready):
            m.d.sync += self.s_axi_bvalid.eq(0)
        with m.If(reading):
            m.d.sync += refused_read.eq(wrong)
        with m.If(read_valid):
            m.d.sync += [self.s_axi_rvalid.eq(1), self.s_axi_rdata.eq(self.read_data)]
        with m.Elif(self.s_axi_rready):
            m.d.sync += self.s_axi_rvalid.eq(0)
        m.d.comb += [
            self.s_axi_bresp.eq(Cat(Const(0, 1), refused_write)),
            self.s_axi_rresp.eq(Cat(Const(0, 1), refused_read)),
        ]
        return m
