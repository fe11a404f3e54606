"""Hierarchy: each distinct unit becomes one module, however often it is used."""

import gc
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, UnusedElaboratable, Value, ValueLike
from amaranth.lib import wiring

# Of several units of one module only the first is elaborated, and some are made for a look at their ports.
warnings.filterwarnings("ignore", category=UnusedElaboratable, module=r".*[\\/]lowtide[\\/]")

__all__ = ["Netlist", "Unit", "place", "signals"]


class Unit(wiring.Component):
    """What can be placed: a component whose ``module_name`` carries its kind and its parameters.

    Two units of the same name must be interchangeable.
    """

    module_name: str

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Ports are made from the signature, which a type checker cannot see."""


AnyUnit = TypeVar("AnyUnit", bound=Unit)


def place(m: Module, platform: Any, name: str, unit: AnyUnit, **inputs: ValueLike) -> AnyUnit:
    """Put ``unit`` into ``m`` under ``name``, its inputs connected, and return it, for its outputs.

    For a simulation the unit becomes a submodule. While a `Netlist` is being made, which is then the
    ``platform``, it becomes an instance of a module that is written only once.
    """
    if isinstance(platform, Netlist):
        m.submodules[name] = platform.instance(unit, inputs)
    else:
        m.submodules[name] = unit
        m.d.comb += [signals(unit)[port].eq(value) for port, value in inputs.items()]
    return unit


def signals(unit: Unit) -> dict[str, Value]:
    """The signals of a unit's ports, by the names that the ports have in Verilog."""
    return {"__".join(map(str, path)): Value.cast(value) for path, _, value in unit.signature.flatten(unit)}


class Netlist:
    """The distinct modules of a design, as RTLIL.

    Amaranth by itself writes one module per instance, which for a grid of processing elements takes a time and a
    length that grow with the grid. Here the units that are put in by `place` are converted once per
    ``module_name``, each by itself, and instances refer to them by name.

    Parameters
    ----------
    top : Unit
        The unit at the top.
    """

    def __init__(self, top: Unit):
        self._modules: dict[str, str] = {}
        collecting = gc.isenabled()
        gc.disable()  # a wide bus is many objects that live to the end, and visiting them took a third of the time
        try:
            self._convert(top)
        finally:
            if collecting:
                gc.enable()

    @property
    def rtlil(self) -> str:
        """All modules, a unit after those that it holds."""
        return "\n".join(self._modules.values())

    @property
    def names(self) -> list[str]:
        """Names of the modules, in the order of their text."""
        return re.findall(r"^module \\(\S+)$", self.rtlil, re.MULTILINE)

    def instance(self, unit: Unit, inputs: Mapping[str, ValueLike]) -> Instance:
        """An instance of the unit's module; its outputs are the unit's own signals."""
        ports: dict[str, ValueLike] = {}
        text = self._convert(unit).split("\nmodule ")[1]  # the unit itself; submodules of its own follow
        for direction, name in _PORT.findall(text):
            if direction == "output":
                ports[f"o_{name}"] = signals(unit)[name]
            else:
                ports[f"i_{name}"] = inputs[name] if name in inputs else _CONTROL[name]()
        missing = [name for name in inputs if f"i_{name}" not in ports]
        assert not missing, f"{unit.module_name} has no input {missing[0]}"
        return Instance(unit.module_name, **ports)

    def _convert(self, unit: Unit) -> str:
        name = unit.module_name
        if name not in self._modules:
            text = rtlil.convert(unit, name=name, platform=self, emit_src=False)
            text = _MEMORY_CONTENTS.sub("", text)
            # Submodules of the unit's own are called `name.submodule`, which Verilog would have to escape.
            self._modules[name] = text.replace(f"\\{name}.", f"\\{name}_")
        return self._modules[name]


# Zeros at power-up, a word at a time, for memories that are never read before they are written.
_MEMORY_CONTENTS = re.compile(r"  cell \$meminit_v2 .*?\n  end\n", re.DOTALL)
_CONTROL = {"clk": ClockSignal, "rst": ResetSignal}
_PORT = re.compile(r"^  wire .*?(input|output) \d+ +(?:signed +)?\\(\w+)$", re.MULTILINE)
