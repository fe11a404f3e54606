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
    d : In(stream of engine.c.payload.shape())
        Column bias and residual; only with post operations.
    s_axi_… : as in `AxiLite`
        Ports of AXI4-Lite; only with this bus.
    wb_… : as in `Wishbone`
        Ports of Wishbone; only with this bus.
    """

    def __init__(self, engine: EngineWithRegisters, bus: str):
        self.engine, self.space = engine, RegisterSpace(registers=len(engine.registers.table))
        self.bus = BUSES[bus](self.space)
        self.module_name = f"{self.bus.module_name}_{engine.module_name}"
        self._ports = {
            name: member
            for name, member in self.bus.signature.members.items()
            if name.startswith(f"{self.bus.prefix}_")
        }
        self._streams = engine.engine.streams
        super().__init__({name: engine.signature.members[name] for name in self._streams} | self._ports)

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
            **{name: getattr(self, name) for name in self._streams},
        )
        return {
            **{name: getattr(engine, name) for name in self._streams},
            **{name: getattr(bus, name) for name, member in self._ports.items() if member.flow is Out},
        }
