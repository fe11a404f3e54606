"""An engine whose registers are on a bus that others know."""

from amaranth.lib.wiring import In, Out

from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.interfaces.axi_lite import AxiLite
from lowtide.interfaces.params import RegisterSpace
from lowtide.interfaces.wishbone import Wishbone
from lowtide.netlist import Structure

__all__ = ["BUSES", "BusEngine"]

BUSES = {"axi4-lite": AxiLite, "wishbone": Wishbone}
"""Buses that registers can be on, besides their own plain one."""


class BusEngine(Structure):
    """A `EngineWithRegisters` and the bus in front of its registers.

    Parameters
    ----------
    controlled : EngineWithRegisters
        The engine.
    bus : str
        One of `BUSES`.

    Members
    -------
    a, b, c
        As of `Engine`.
    those of the bus
        As of `AxiLite` or `Wishbone`.
    """

    def __init__(self, controlled: EngineWithRegisters, bus: str):
        self.controlled = controlled
        self.bus = BUSES[bus](RegisterSpace(registers=len(controlled.registers.table)))
        self.module_name = f"{self.bus.module_name}_{controlled.module_name}"
        self._ports = {
            name: member
            for name, member in self.bus.signature.members.items()
            if name.startswith(f"{self.bus.prefix}_")
        }
        super().__init__({name: controlled.signature.members[name] for name in "abc"} | self._ports)

    def wire(self, place):
        bus, controlled = self.bus, self.controlled
        place(
            "bus",
            bus,
            read_data=controlled.read_data,
            **{name: getattr(self, name) for name, member in self._ports.items() if member.flow is In},
        )
        place(
            "controlled",
            controlled,
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
            "a__ready": controlled.a.ready,
            "b__ready": controlled.b.ready,
            "c__valid": controlled.c.valid,
            "c__payload": controlled.c.payload,
            **{name: getattr(bus, name) for name, member in self._ports.items() if member.flow is Out},
        }
