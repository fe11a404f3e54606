"""Wishbone: classic slave for registers on a plain bus."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.interfaces.params import RegisterSpace
from lowtide.netlist import Unit

__all__ = ["Wishbone"]


class Wishbone(Unit):
    """Wishbone slave: accesses registers for a Wishbone B4 master in classic cycles.

    The slave responds for one cycle, one cycle after the access arrives: with ``ack``; or with ``err`` for an access
    without effect, which is beyond the last register or writes only part of one.

    Parameters
    ----------
    space : RegisterSpace
        Registers to access.

    Members
    -------
    wb_cyc_i, wb_stb_i : In(1)
        High while an access is requested. The master must hold an access until the response.
    wb_we_i : In(1)
        High with a write.
    wb_adr_i : In(space.place_bits)
        Number of a register. The port is 32 bits wide, so the two lowest bits of a byte address are not part of it.
    wb_dat_i : In(32)
        Data to write.
    wb_sel_i : In(4)
        Byte enables.
    wb_dat_o : Out(32)
        Data of a read.
    wb_ack_o : Out(1)
        High for one cycle when the access is done.
    wb_err_o : Out(1)
        High for one cycle when the access is refused.
    address : Out(space.place_bits)
        Number of a register.
    write : Out(1)
        Pulses for one cycle to write the register.
    write_data : Out(32)
        Data to write.
    read_data : In(32)
        Content of the register, one cycle after ``address``.
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
        request = Signal()
        wrong = Signal()
        m.d.comb += [
            request.eq(self.wb_cyc_i & self.wb_stb_i & ~self.wb_ack_o & ~self.wb_err_o),
            wrong.eq((self.wb_adr_i >= self.space.registers) | (self.wb_we_i & ~self.wb_sel_i.all())),
            self.address.eq(self.wb_adr_i),
            self.write.eq(request & self.wb_we_i & ~wrong),
            self.write_data.eq(self.wb_dat_i),
            self.wb_dat_o.eq(self.read_data),
        ]
        m.d.sync += [self.wb_ack_o.eq(request & ~wrong), self.wb_err_o.eq(request & wrong)]
        return m
