"""Netlist: the distinct modules of a design, each written once."""

import re
from collections.abc import Collection, Mapping

from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, Instance, ResetSignal, Value, ValueLike
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue
from lowtide.netlist.identifier import check_identifier
from lowtide.netlist.structure import Structure
from lowtide.netlist.unit import AnyUnit, Connection, Unit, by_port, signals
from lowtide.netlist.wiring import Port, Wiring

__all__ = ["Netlist"]


class Netlist:
    """The distinct modules of a design, each after the modules that it instantiates.

    Amaranth writes one module per instance, so that for a grid of processing elements time and text grow with the grid.
    The netlist converts the units that `place` instantiates once per ``module_name``, and instances refer to the module
    by name.

    The top keeps its name. The name of every other module begins with a prefix, so that one project can contain several
    designs and a user's own modules.

    Parameters
    ----------
    top : Unit
        Unit at the top.
    prefix : str, optional
        Prefix of the modules below the top; by default the top's name.
    initial_values : bool
        Whether to write power-up values of registers and writable memories. If false, only read-only memories have
        contents.

    Attributes
    ----------
    rtlil : str
        Units with logic, in RTLIL.
    wiring : str
        Structures, in Verilog.
    names : list of str
        Names of all modules in the order of their text: modules with logic first.

    Raises
    ------
    IllegalValue
        If the top's name or the prefix is not an identifier, or a port or another module has the top's name.
    """

    def __init__(self, top: Unit, prefix: str | None = None, *, initial_values: bool = True):
        check_identifier("name", top.module_name)
        self._top, self._prefix = top, top.module_name if prefix is None else prefix
        check_identifier("prefix", self._prefix)
        self._initial_values = initial_values
        self._logic: list[str] = []
        self._structures: list[tuple[str, str]] = []
        self._ports: dict[str, list[Port]] = {}
        ports = self._write(top)
        self.rtlil = "\n".join(self._logic)
        self.wiring = "\n".join(text for _, text in self._structures)
        self.names = re.findall(r"^module \\(\S+)$", self.rtlil, re.MULTILINE)
        self.names += [name for name, _ in self._structures]
        self._check_names({port.name for port in ports})

    def instance(self, unit: Unit, inputs: Mapping[str, ValueLike]) -> Instance:
        """Instantiate the unit's module in a unit with logic; its outputs drive the unit's own signals."""
        if isinstance(unit, Structure):
            raise TypeError(f"{unit.module_name} is a structure: only a structure may instantiate it")
        ports: dict[str, ValueLike] = {}
        for port in self._with(unit, inputs):
            if port.direction == "output":
                ports[f"o_{port.name}"] = signals(unit)[port.name]
            else:
                value = inputs[port.name] if port.name in inputs else _CONTROL[port.name]()
                ports[f"i_{port.name}"] = _exact(unit, port, value)
        return Instance(self._name_of(unit), **ports)

    def _with(self, unit: Unit, inputs: Mapping[str, ValueLike]) -> list[Port]:
        """Return the ports of the unit's module, which must have each of these inputs that is not empty."""
        ports = self._add(unit)
        empty = {name for name, signal in signals(unit).items() if not len(signal)}
        unknown = set(inputs) - {port.name for port in ports if port.direction == "input"} - empty
        if unknown:
            raise TypeError(f"{unit.module_name} has no input {min(unknown)}")
        return ports

    def _add(self, unit: Unit) -> list[Port]:
        """Write the unit's module unless it is written, and return its ports."""
        name = unit.module_name
        if name not in self._ports:
            self._ports[name] = self._write(unit)
        return self._ports[name]

    def _write(self, unit: Unit) -> list[Port]:
        return self._wire(unit) if isinstance(unit, Structure) else self._convert(unit)

    def _name_of(self, unit: Unit) -> str:
        return unit.module_name if unit is self._top else f"{self._prefix}_{unit.module_name}"

    def _check_names(self, ports: Collection[str]) -> None:
        """Reject a name of two modules, or of the top and one of its ports, which Verilator does not distinguish."""
        twice = {name for name in self.names if self.names.count(name) > 1}
        if self._top.module_name in twice:
            legal = f"a name that no module below the top has (their names begin with {self._prefix}_)"
            raise IllegalValue("name", legal, self._top.module_name)
        if self._top.module_name in ports:
            raise IllegalValue("name", "a name that no port of the module has", self._top.module_name)
        if twice:
            raise ValueError(f"two modules have the name {min(twice)}")

    def _wire(self, unit: Structure) -> list[Port]:
        wiring = Wiring(signals(unit))

        def place(name: str, part: AnyUnit, /, **inputs: Connection) -> AnyUnit:
            connections = by_port(part, inputs, In)
            ports = self._with(part, connections)
            wiring.instance(self._name_of(part), name, ports, connections, signals(part), kept=part.keep_hierarchy)
            return part

        outputs = by_port(unit, unit.wire(place), Out)
        name = self._name_of(unit)
        self._structures.append((name, wiring.module(name, outputs, unit.attributes())))
        return wiring.ports(outputs)

    def _convert(self, unit: Unit) -> list[Port]:
        name = self._name_of(unit)
        text = rtlil.convert(unit, name=name, platform=self, emit_src=False)
        text = _EMPTY.sub(r"\1", text)
        text = "\nmodule ".join(map(self._initialized, text.split("\nmodule ")))
        # Amaranth names submodules of the unit `name.submodule$1`, which Verilog would escape.
        stem = name if name == self._prefix else f"{self._prefix}_{unit.module_name}"
        for module in re.findall(rf"^module \\({re.escape(name)}\.\S+)$", text, re.MULTILINE):
            plain = stem + re.sub(r"[.$]", "_", module.removeprefix(name))
            text = re.sub(rf"\\{re.escape(module)}(?=\s)", rf"\\{plain}", text)
        self._logic.append(text)
        own = text.split("\nmodule ")[1]  # the unit itself, followed by its submodules
        return [Port(port, direction, int(width or 1)) for width, direction, port in _PORT.findall(own)]

    def _initialized(self, module: str) -> str:
        """Return a module with only the initial values that `initial_values` asks for."""
        written = set(_WRITTEN.findall(module))
        module = _CONTENTS.sub(lambda cell: cell[0] if self._keeps(cell[0], cell[1] in written) else "", module)
        return module if self._initial_values else _INITIAL_VALUE.sub("", module)

    def _keeps(self, contents: str, written: bool) -> bool:
        """Whether a memory has contents at power-up; a writable memory of zeros needs none."""
        constant = re.search(r"connect \\DATA \d+'([01-]+)\n", contents)
        zero = constant is not None and "1" not in constant[1]
        return not written or (self._initial_values and not zero)


def _exact(unit: Unit, port: Port, value: ValueLike) -> Value:
    """Return the connection of an input, whose width must match: Verilog would extend or truncate it."""
    value = Value.cast(value)
    if len(value) != port.width:
        raise ValueError(f"{port.name} of {unit.module_name} must have {port.width} bits, not {len(value)}")
    return value


_CONTENTS = re.compile(r"  cell \$meminit_v2 \S+\n    parameter \\MEMID (\S+)\n.*?\n  end\n", re.DOTALL)
_WRITTEN = re.compile(r"  cell \$memwr_v2 \S+\n    parameter \\MEMID (\S+)\n")
_INITIAL_VALUE = re.compile(r"^ *attribute \\init \S+\n", re.MULTILINE)
# Verilog has no empty ports: `[-1:0]` has two bits.
_EMPTY = re.compile(r"^(  wire width 0 )(?:input|output) \d+ +(?:signed )?", re.MULTILINE)
_CONTROL = {"clk": ClockSignal, "rst": ResetSignal}
_PORT = re.compile(r"^  wire (?:width (\d+) )?.*?(input|output) \d+ +(?:signed )?\\(\w+)$", re.MULTILINE)
