"""A netlist: the distinct modules of a design, each of them written once."""

import re
from collections.abc import Mapping

from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, Instance, ResetSignal, ValueLike

from lowtide.hierarchy.structure import Structure
from lowtide.hierarchy.unit import AnyUnit, Unit, signals
from lowtide.hierarchy.wiring import Port, Wiring

__all__ = ["Netlist"]


class Netlist:
    """The distinct modules of a design, a unit after those that it holds.

    Amaranth by itself writes one module per instance, which for a grid of processing elements takes a time and a
    length that grow with the grid. Here the units that are put in by `place` are converted once per
    ``module_name``, each by itself, and instances refer to them by name.

    Parameters
    ----------
    top : Unit
        The unit at the top.

    Attributes
    ----------
    rtlil : str
        Units with logic, as RTLIL.
    wiring : str
        Structures, as Verilog.
    names : list of str
        Names of all modules, in the order of their text: first those with logic.
    """

    def __init__(self, top: Unit):
        self._logic: dict[str, str] = {}
        self._structures: dict[str, str] = {}
        self._ports: dict[str, list[Port]] = {}
        self._add(top)
        self.rtlil = "\n".join(self._logic.values())
        self.wiring = "\n".join(self._structures.values())
        self.names = re.findall(r"^module \\(\S+)$", self.rtlil, re.MULTILINE) + list(self._structures)

    def instance(self, unit: Unit, inputs: Mapping[str, ValueLike]) -> Instance:
        """An instance of the unit's module, in a unit with logic; its outputs are the unit's own signals."""
        if isinstance(unit, Structure):
            raise TypeError(f"{unit.module_name} is a structure, and only a structure may hold it")
        ports: dict[str, ValueLike] = {}
        for port in self._with(unit, inputs):
            if port.direction == "output":
                ports[f"o_{port.name}"] = signals(unit)[port.name]
            else:
                ports[f"i_{port.name}"] = inputs[port.name] if port.name in inputs else _CONTROL[port.name]()
        return Instance(unit.module_name, **ports)

    def _with(self, unit: Unit, inputs: Mapping[str, ValueLike]) -> list[Port]:
        """Ports of the unit's module, which must have these inputs."""
        ports = self._add(unit)
        unknown = set(inputs) - {port.name for port in ports if port.direction == "input"}
        if unknown:
            raise TypeError(f"{unit.module_name} has no input {min(unknown)}")
        return ports

    def _add(self, unit: Unit) -> list[Port]:
        """Write the unit's module if need be; its ports."""
        name = unit.module_name
        if name not in self._ports:
            self._ports[name] = self._wire(unit) if isinstance(unit, Structure) else self._convert(unit)
        return self._ports[name]

    def _wire(self, unit: Structure) -> list[Port]:
        wiring = Wiring(signals(unit))

        def place(name: str, part: AnyUnit, /, **inputs: ValueLike) -> AnyUnit:
            ports = self._with(part, inputs)
            wiring.instance(part.module_name, name, ports, inputs, signals(part), kept=part.keep_hierarchy)
            return part

        outputs = unit.wire(place)
        self._structures[unit.module_name] = wiring.module(unit.module_name, outputs, unit.attributes())
        return wiring.ports(outputs)

    def _convert(self, unit: Unit) -> list[Port]:
        name = unit.module_name
        text = rtlil.convert(unit, name=name, platform=self, emit_src=False)
        text = _CONTENTS.sub(lambda cell: "" if _is_zero(cell[0]) else cell[0], text)
        # Submodules of the unit's own are called `name.submodule`, which Verilog would have to escape.
        self._logic[name] = text.replace(f"\\{name}.", f"\\{name}_")
        own = text.split("\nmodule ")[1]  # the unit itself; submodules of its own follow
        return [Port(port, direction, int(width or 1)) for width, direction, port in _PORT.findall(own)]


def _is_zero(cell: str) -> bool:
    """Whether a memory is zero at power-up: then it is never read before it is written, and need not be told so."""
    constant = re.search(r"connect \\DATA \d+'([01-]+)\n", cell)
    return constant is not None and "1" not in constant[1]


_CONTENTS = re.compile(r"  cell \$meminit_v2 .*?\n  end\n", re.DOTALL)
_CONTROL = {"clk": ClockSignal, "rst": ResetSignal}
_PORT = re.compile(r"^  wire (?:width (\d+) )?.*?(input|output) \d+ +(?:signed )?\\(\w+)$", re.MULTILINE)
