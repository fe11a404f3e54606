"""A structure as Verilog: instances, and wires between them as whole words."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from amaranth.hdl import Const, Signal, Value, ValueLike

# Amaranth has no public way to look into a value.
from amaranth.hdl._ast import Concat, Slice

__all__ = ["Port", "Wiring"]


class Port(NamedTuple):
    """A port of a module.

    Parameters
    ----------
    name : str
        Its name.
    direction : str
        ``input`` or ``output``.
    width : int
        Its bits.
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
        """Name of what an output drives."""
        return f"{self.name}_{port.name}"


class Wiring:
    """What a structure holds, as it is placed.

    Parameters
    ----------
    own : mapping of str to Value
        The structure's own ports.
    """

    def __init__(self, own: Mapping[str, Value]):
        self._own = own
        # Signals cannot be keys; their ids can, for as long as they live.
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
        """Add an instance, with a wire for each of its outputs, and a word to synthesis if it is to be kept."""
        instance = _Instance(module, kept, name, ports, inputs)
        self._instances.append(instance)
        for port in ports:
            if port.direction == "output":
                self._names[id(outputs[port.name])] = (instance.wire(port), outputs[port.name])

    def ports(self, outputs: Mapping[str, ValueLike]) -> list[Port]:
        """Its own ports, but for those without bits; clock and reset are there if anything in it has them."""
        within = {port.name for instance in self._instances for port in instance.ports}
        control = [Port(name, "input", 1) for name in ("clk", "rst") if name in within]
        return control + [
            Port(name, "output" if name in outputs else "input", len(signal))
            for name, signal in self._own.items()
            if len(signal)
        ]

    def module(self, name: str, outputs: Mapping[str, ValueLike], attributes: Mapping[str, Mapping[str, str]]) -> str:
        """All of it as a Verilog module, with attributes of its ports."""
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
        """A value in Verilog."""
        value = Value.cast(value)
        if len(value) != width:
            raise ValueError(f"a value of {len(value)} bits does not fit {width} bits")
        parts = list(_pieces(value, 0, width))[::-1]  # Verilog has the highest bits first
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
    """The bits of signals and constants that bits ``start`` to ``stop`` of a value are, the lowest first."""
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
        raise TypeError(f"a structure has wires only, not {value!r}")


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f'  (* {name} = "{text}" *)\n' for name, text in attributes.items())


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0] "
