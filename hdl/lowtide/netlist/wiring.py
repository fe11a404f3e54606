"""Wiring: a structure in Verilog, as instances and wires of whole words."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from amaranth.hdl import Const, Signal, Value, ValueLike

# Amaranth has no public API to inspect a value.
from amaranth.hdl._ast import Concat, Slice

__all__ = ["Port", "Wiring"]


class Port(NamedTuple):
    """Port of a module.

    Parameters
    ----------
    name : str
        Name in Verilog.
    direction : str
        ``input`` or ``output``.
    width : int
        Bits of the port.
    """

    name: str
    direction: Literal["input", "output"]
    width: int


class _Instance(NamedTuple):
    module: str
    kept: bool
    name: str
    ports: list[Port]
    inputs: Mapping[str, ValueLike]

    def wire(self, port: Port) -> str:
        """Return the name of the wire that an output drives."""
        return f"{self.name}_{port.name}"


class Wiring:
    """Instances and wires of a structure.

    Parameters
    ----------
    own : mapping of str to Value
        Ports of the structure.
    """

    def __init__(self, own: Mapping[str, Value]):
        self._own = own
        # Signals are not hashable; their ids are unique while the signals exist.
        self._names = {id(signal): (name, signal) for name, signal in own.items()}
        self._instances: list[_Instance] = []

    def instance(
        self,
        module: str,
        name: str,
        ports: list[Port],
        inputs: Mapping[str, ValueLike],
        outputs: Mapping[str, Value],
        *,
        kept: bool,
    ) -> None:
        """Add an instance and a wire per output; ``kept`` asks synthesis to keep the instance's hierarchy."""
        instance = _Instance(module, kept, name, ports, inputs)
        self._instances.append(instance)
        for port in ports:
            if port.direction == "output":
                self._names[id(outputs[port.name])] = (instance.wire(port), outputs[port.name])

    def ports(self, outputs: Mapping[str, ValueLike]) -> list[Port]:
        """Return the structure's ports without the empty ones, with clock and reset if an instance has them."""
        within = {port.name for instance in self._instances for port in instance.ports}
        control = [Port(name, "input", 1) for name in ("clk", "rst") if name in within]
        return control + [
            Port(name, "output" if name in outputs else "input", len(signal))
            for name, signal in self._own.items()
            if len(signal)
        ]

    def module(self, name: str, outputs: Mapping[str, ValueLike], attributes: Mapping[str, Mapping[str, str]]) -> str:
        """Return the structure as a Verilog module, with attributes of its ports."""
        ports = self.ports(outputs)
        wires = [
            f"  wire {_range(port.width)}{instance.wire(port)};"
            for instance in self._instances
            for port in instance.ports
            if port.direction == "output"
        ]
        lines = [
            f"module {name}({', '.join(port.name for port in ports)});",
            *(
                f"{_attributes(attributes.get(port.name, {}))}  {port.direction} {_range(port.width)}{port.name};"
                for port in ports
            ),
            *wires,
            *map(self._instance_text, self._instances),
            *(
                f"  assign {port} = {self._text(value, len(self._own[port]))};"
                for port, value in outputs.items()
                if len(self._own[port])
            ),
            "endmodule",
        ]
        return "\n".join(lines) + "\n"

    def _instance_text(self, instance: _Instance) -> str:
        connections = []
        for port in instance.ports:
            if port.direction == "output":
                text = instance.wire(port)
            elif port.name in instance.inputs:
                text = self._text(instance.inputs[port.name], port.width)
            else:
                text = port.name  # clock or reset
            connections.append(f"    .{port.name}({text})")
        kept = '(* keep_hierarchy = "yes" *) ' if instance.kept else ""
        return f"  {kept}{instance.module} {instance.name} (\n" + ",\n".join(connections) + "\n  );"

    def _text(self, value: ValueLike, width: int) -> str:
        value = Value.cast(value)
        if len(value) != width:
            raise ValueError(f"connection must have {width} bits, not {len(value)}")
        parts = list(_pieces(value, 0, width))[::-1]  # Verilog writes the highest bits first
        texts = [self._piece(*part) for part in parts]
        return texts[0] if len(texts) == 1 else f"{{{', '.join(texts)}}}"

    def _piece(self, value: Value, start: int, stop: int) -> str:
        if isinstance(value, Const):
            width = stop - start
            return f"{width}'h{value.value >> start & (1 << width) - 1:x}"
        name, _ = self._names[id(value)]
        if stop - start == len(value):
            return name
        return f"{name}[{start}]" if stop - start == 1 else f"{name}[{stop - 1}:{start}]"


def _pieces(value: Value, start: int, stop: int) -> Iterator[tuple[Value, int, int]]:
    """Yield the parts of signals and constants that form bits ``start`` to ``stop`` of a value, the lowest first."""
    if isinstance(value, Slice):
        yield from _pieces(value.value, value.start + start, value.start + stop)
    elif isinstance(value, Concat):
        offset = 0
        for part in value.parts:
            low, high = max(start - offset, 0), min(stop - offset, len(part))
            if low < high:
                yield from _pieces(part, low, high)
            offset += len(part)
    elif isinstance(value, Signal | Const):
        yield value, start, stop
    else:
        raise TypeError(f"a connection in a structure must be a signal, a constant, a slice, or a Cat, not {value!r}")


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f'  (* {name} = "{text}" *)\n' for name, text in attributes.items())


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0] "
