"""Units: components with a module name, which other units instantiate."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from amaranth.hdl import Instance, Module, UnusedElaboratable, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import FlippedInterface, Flow, In, PureInterface

# Only the first unit of each module is elaborated, and some units are constructed only to read their ports.
warnings.filterwarnings("ignore", category=UnusedElaboratable, module=r".*[\\/]lowtide[\\/]")

__all__ = ["AnyUnit", "Connection", "Instantiates", "Unit", "by_port", "place", "signals"]

Connection: TypeAlias = ValueLike | PureInterface | FlippedInterface
"""What a port, or an interface such as a stream, is connected to."""


class Unit(wiring.Component):
    """Component that a `Netlist` writes as one module, however often it is instantiated.

    Units with equal ``module_name`` must be interchangeable.

    The docstring of a unit lists its ports in the section *Members*, which a test compares with the signature. A line
    is ``name : In(shape)`` or ``name : Out(shape)``. Ports with similar meanings share a line,
    ``a, b : In(x), Out(y)``, or ``a, b : In(x)`` if the members are equal. A port that exists only with some arguments
    states its type in its text. A line ``prefix… : as in `Other``` stands for the ports of another unit that have this
    prefix.

    - A shape is a Python expression. It may use the constructor's variables, attributes of the unit and of these
      variables, names of the unit's module, and `range`, `signed`, `unsigned`, `StructLayout`, `ArrayLayout`,
      `ChunkLayout`, and `FP32`.
    - A dict is a structure, the first field in the lowest bits: ``{"data": signed(8), "last": 1}``.
    - ``stream of shape`` is a stream with that payload: ``In(stream of {"number": FP32, "last": 1})``.

    Attributes
    ----------
    module_name : str
        Kind and parameters of the unit, as an identifier.
    keep_hierarchy : bool
        Whether a structure's instances of the unit ask synthesis to keep their hierarchy, so that it merges no
        registers of different instances.
    """

    module_name: str
    keep_hierarchy: bool = False

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Port of the signature, which a type checker cannot see."""


AnyUnit = TypeVar("AnyUnit", bound=Unit)


@runtime_checkable
class Instantiates(Protocol):
    """Platform that instantiates a unit as a module, which it writes once."""

    def instance(self, unit: Unit, inputs: Mapping[str, ValueLike]) -> Instance:
        """Instantiate the unit's module; its outputs drive the unit's own signals."""
        ...


def place(m: Module, platform: Any, name: str, unit: AnyUnit, **inputs: Connection) -> AnyUnit:
    """Instantiate ``unit`` in ``m`` under ``name``, connect its inputs, and return the unit for its outputs.

    A stream connects as a whole: ``i=source.o`` connects the inputs ``i__payload`` and ``i__valid``, and ``o=sink.i``
    the input ``o__ready``.

    In a simulation, the unit becomes a submodule. If ``platform`` is a `Netlist`, the unit becomes an instance of a
    module that is written once.
    """
    ports = by_port(unit, inputs, In)
    if isinstance(platform, Instantiates):
        m.submodules[name] = platform.instance(unit, ports)
    else:
        m.submodules[name] = unit
        m.d.comb += [signals(unit)[port].eq(value) for port, value in ports.items()]
    return unit


def by_port(unit: Unit, connections: Mapping[str, Connection], flow: Flow) -> dict[str, ValueLike]:
    """Return connections by the ports' names in Verilog, where an interface stands for its ports of that direction."""
    members, ports = unit.signature.members, {}
    for name, value in connections.items():
        if name in members and members[name].is_signature:
            # The handshake first, then the payload.
            for path, member, port in reversed([*members[name].signature.flatten(value)]):
                if member.flow == flow:
                    ports["__".join(map(str, (name, *path)))] = port
        else:
            ports[name] = value
    return ports


def signals(unit: Unit) -> dict[str, Value]:
    """Return the signals of a unit's ports by the ports' names in Verilog."""
    return {"__".join(map(str, path)): Value.cast(value) for path, _, value in unit.signature.flatten(unit)}
