"""Wishbone: a classic slave in front of registers on a plain bus."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.interfaces.params import RegisterSpace
from lowtide.netlist import Unit

__all__ = ["Wishbone"]


class Wishbone(Unit):
    """Reads and writes registers for a Wishbone B4 master, by classic cycles.

    Each access is answered in the cycle after it comes, for a cycle: by ``ack``, or by ``err`` if it has no effect,
    beyond the last register or as a write of less than a whole one.

    Parameters
    ----------
    space : RegisterSpace
        What is behind it.

    Members
    -------
    wb_cyc_i, wb_stb_i, wb_we_i : In(1), In(1), In(1)
        An access, and whether it writes. It stays until it is answered.
    wb_adr_i : In(place_bits)
        Which register. As the port is 32 bits wide, the two lowest bits of an address in bytes are no part of it.
    wb_dat_i, wb_sel_i : In(32), In(4)
        What is written, and which bytes of it.
    wb_dat_o, wb_ack_o, wb_err_o : Out(32), Out(1), Out(1)
        What was read; done; refused.
    address, write, write_data, read_data : Out(place_bits), Out(1), Out(32), In(32)
        To the registers; data that are read come a cycle later.
    """

    prefix = "wb"

    def __init__(self, space: RegisterSpace):
        self.space = space
        self.module_name = f"wishbone_{space.registers}"
        inputs = {"cyc": 1, "stb": 1, "we": 1, "adr": space.place_bits, "dat": 32, "sel": 4}
        outputs = {"dat": 32, "ack": 1, "err": 1}
        super().__init__(
            {f"wb_{name}_i": In(bits) for name, bits in inputs.items()}
            | {f"wb_{name}_o": Out(bits) for name, bits in outputs.items()}
            | {"address": Out(space.place_bits), "write": Out(1), "write_data": Out(32), "read_data": In(32)}
        )

    def elaborate(self, platform):
        m = Module()
        comes = Signal()
        wrong = Signal()
        m.d.comb += [
            comes.eq(self.wb_cyc_i & self.wb_stb_i & ~self.wb_ack_o & ~self.wb_err_o),
            wrong.eq((self.wb_adr_i >= self.space.registers) | (self.wb_we_i & ~self.wb_sel_i.all())),
            self.address.eq(self.wb_adr_i),
            self.write.eq(comes & self.wb_we_i & ~wrong),
            self.write_data.eq(self.wb_dat_i),
            self.wb_dat_o.eq(self.read_data),
        ]
        m.d.sync += [self.wb_ack_o.eq(comes & ~wrong), self.wb_err_o.eq(comes & wrong)]
        return m
