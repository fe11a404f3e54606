"""Engine on a bus: an engine with its registers on AXI4-Lite or Wishbone."""

from amaranth.lib.wiring import In, Out

from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.interfaces.axi_lite import AxiLite
from lowtide.interfaces.params import RegisterSpace
from lowtide.interfaces.wishbone import Wishbone
from lowtide.netlist import Structure

__all__ = ["BUSES", "BusEngine"]

BUSES = {"axi4-lite": AxiLite, "wishbone": Wishbone}
"""Bus interfaces, by name, in addition to the plain bus."""


class BusEngine(Structure):
    """Engine on a bus: an `EngineWithRegisters` and the bus interface of its registers.

    Parameters
    ----------
    engine : EngineWithRegisters
        The engine.
    bus : str
        One of `BUSES`.

    Members
    -------
    a, b : In(stream of engine.a.payload.shape())
        Operands; ``last`` is high with the last beat of an operand.
    c : Out(stream of engine.c.payload.shape())
        Results; ``last`` is high with the last beat of a product.
    s_axi_awaddr, s_axi_araddr : In((len(engine.registers.table) - 1).bit_length() + 2)
        AXI4-Lite: byte address of a write, of a read.
    s_axi_awprot, s_axi_arprot : In(3)
        AXI4-Lite: ignored.
    s_axi_awvalid, s_axi_wvalid, s_axi_arvalid : In(1)
        AXI4-Lite: high while an address, or the data of a write, is valid.
    s_axi_awready, s_axi_wready, s_axi_arready : Out(1)
        AXI4-Lite: high when an address, or the data of a write, is accepted.
    s_axi_wdata : In(32)
        AXI4-Lite: data to write.
    s_axi_wstrb : In(4)
        AXI4-Lite: byte enables, all or none.
    s_axi_bresp, s_axi_rresp : Out(2)
        AXI4-Lite: response, ``OKAY`` or ``SLVERR``.
    s_axi_bvalid, s_axi_rvalid : Out(1)
        AXI4-Lite: high while a response is valid.
    s_axi_bready, s_axi_rready : In(1)
        AXI4-Lite: high when the manager accepts a response.
    s_axi_rdata : Out(32)
        AXI4-Lite: data of a read.
    wb_cyc_i, wb_stb_i, wb_we_i : In(1)
        Wishbone: cycle, strobe, and write enable of an access.
    wb_adr_i : In((len(engine.registers.table) - 1).bit_length())
        Wishbone: number of a register.
    wb_dat_i : In(32)
        Wishbone: data to write.
    wb_sel_i : In(4)
        Wishbone: byte enables.
    wb_dat_o : Out(32)
        Wishbone: data of a read.
    wb_ack_o, wb_err_o : Out(1)
        Wishbone: response, done or refused.
    """

    def __init__(self, engine: EngineWithRegisters, bus: str):
        self.engine = engine
        self.bus = BUSES[bus](RegisterSpace(registers=len(engine.registers.table)))
        self.module_name = f"{self.bus.module_name}_{engine.module_name}"
        self._ports = {
            name: member
            for name, member in self.bus.signature.members.items()
            if name.startswith(f"{self.bus.prefix}_")
        }
        super().__init__({name: engine.signature.members[name] for name in "abc"} | self._ports)

    def wire(self, place):
        bus, engine = self.bus, self.engine
        place(
            "bus",
            bus,
            read_data=engine.read_data,
            **{name: getattr(self, name) for name, member in self._ports.items() if member.flow is In},
        )
        place(
            "engine",
            engine,
            address=bus.address,
            write=bus.write,
            write_data=bus.write_data,
            a__payload=self.a.payload,
            a__valid=self.a.valid,
            b__payload=self.b.payload,
            b__valid=self.b.valid,
            c__ready=self.c.ready,
        )
        return {
            "a__ready": engine.a.ready,
            "b__ready": engine.b.ready,
            "c__valid": engine.c.valid,
            "c__payload": engine.c.payload,
            **{name: getattr(bus, name) for name, member in self._ports.items() if member.flow is Out},
        }
