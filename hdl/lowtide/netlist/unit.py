"""Units: components that are named by their kind and their parameters, and can be put into others."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from amaranth.hdl import Instance, Module, UnusedElaboratable, Value, ValueLike
from amaranth.lib import wiring

# Of several units of one module only the first is elaborated, and some are made for a look at their ports.
warnings.filterwarnings("ignore", category=UnusedElaboratable, module=r".*[\\/]lowtide[\\/]")

__all__ = ["AnyUnit", "Instantiates", "Unit", "place", "signals"]


class Unit(wiring.Component):
    """What can be placed: a component whose ``module_name`` carries its kind and its parameters.

    Two units of the same name must be interchangeable.

    Attributes
    ----------
    module_name : str
        Its kind and its parameters.
    keep_hierarchy : bool
        In a structure, its instances ask synthesis not to dissolve them, nor to merge registers of one with another's.
    """

    module_name: str
    keep_hierarchy: bool = False

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Ports are made from the signature, which a type checker cannot see."""


AnyUnit = TypeVar("AnyUnit", bound=Unit)


@runtime_checkable
class Instantiates(Protocol):
    """A platform for which a unit becomes an instance of a module that is written only once."""

    def instance(self, unit: Unit, inputs: Mapping[str, ValueLike]) -> Instance:
        """An instance of the unit's module; its outputs are the unit's own signals."""
        ...


def place(m: Module, platform: Any, name: str, unit: AnyUnit, **inputs: ValueLike) -> AnyUnit:
    """Put ``unit`` into ``m`` under ``name``, its inputs connected, and return it, for its outputs.

    For a simulation the unit becomes a submodule. While a `Netlist` is being made, which is then the
    ``platform``, it becomes an instance of a module that is written only once.
    """
    if isinstance(platform, Instantiates):
        m.submodules[name] = platform.instance(unit, inputs)
    else:
        m.submodules[name] = unit
        m.d.comb += [signals(unit)[port].eq(value) for port, value in inputs.items()]
    return unit


def signals(unit: Unit) -> dict[str, Value]:
    """The signals of a unit's ports, by the names that the ports have in Verilog."""
    return {"__".join(map(str, path)): Value.cast(value) for path, _, value in unit.signature.flatten(unit)}
