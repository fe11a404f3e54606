"""The docstring of every unit lists the ports of its signature: name, direction, and shape.

The grammar of a port's line is in the docstring of `lowtide.netlist.Unit`.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from amaranth.hdl import Fragment, Instance, Shape, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Flow, In, Member, Out

from lowtide.config import Config
from lowtide.emission.registry import UNITS
from lowtide.emission.serial import SerialTop
from lowtide.emission.top import AxiStreamArray, AxiStreamEngine, engine_of
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.formats.bfp import ChunkLayout
from lowtide.formats.fp32 import FP32
from lowtide.interfaces.axi_stream import AxiStreams
from lowtide.interfaces.serial.serial_engine import SerialEngine
from lowtide.netlist import Structure, Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource
from lowtide.units.rounding.decisions import RoundingDecisions
from lowtide.units.rounding.params import RounderParams
from lowtide.units.rounding.stochastic import StochasticParams, StochasticRounder
from lowtide_boards.targets.self_test_vectors import self_test_vectors

KNOWN = {
    "ArrayLayout": data.ArrayLayout,
    "ChunkLayout": ChunkLayout,
    "FP32": FP32,
    "StructLayout": data.StructLayout,
    "range": range,
    "signed": signed,
    "unsigned": unsigned,
}
"""Names that every docstring may use."""

BASES = (Unit, Structure, AxiStreams)
"""Classes without ports of their own."""


class Elaborator:
    """Platform that elaborates every module once, without converting it."""

    def __init__(self):
        self._names: set[str] = set()

    def instance(self, unit: Unit, inputs: Any) -> Instance:
        if unit.module_name not in self._names:
            self._names.add(unit.module_name)
            Fragment.get(unit, self)
        return Instance(unit.module_name)


def tops() -> Iterator[Unit]:
    """Small designs that together hold every unit, and every optional port."""
    bfp = Config.load("tiny")
    yield AxiStreamArray(bfp.changed({"array.rows": 17, "array.skew": "memory", "array.block_rows": 2}))
    terms = Config.load("terms").changed({"array.rows": 1, "array.columns": 2})
    yield AxiStreamArray(bfp)
    yield AxiStreamArray(bfp.changed({"bfp.multiplier": "ecp5"}))
    yield AxiStreamArray(bfp.changed({"bfp.aligner": "ecp5"}))
    yield AxiStreamArray(terms)
    yield AxiStreamArray(terms.changed({"array.results": "integers"}))
    for bus in ("plain", "axi4-lite", "wishbone"):
        yield AxiStreamEngine(bfp, bus=bus)
    yield AxiStreamEngine(bfp.changed({"bfp.exponent": 5}), bus="plain")
    finished = bfp.changed({"engine.post_operations": True, "engine.packed_results": True})
    for bus in ("plain", "axi4-lite", "wishbone"):
        yield AxiStreamEngine(finished, bus=bus)
    yield AxiStreamEngine(finished.changed({"engine.sum_rows": 2}), bus="plain")
    yield SerialTop(finished)
    yield AxiStreamEngine(bfp.changed({"engine.input_width": 1}), bus="plain")
    yield AxiStreamEngine(bfp.changed({"engine.slots": 4}), bus="plain")
    integers = terms.changed({"engine.output_width": 1})
    yield AxiStreamEngine(integers, bus="plain")
    for keys in (("column_scale",), ("packed_results",), ("column_scale", "packed_results", "post_operations")):
        yield AxiStreamEngine(integers.changed({f"engine.{key}": True for key in keys}), bus="plain")
    yield AxiStreamEngine(bfp.changed({"engine.sum_rows": 5, "engine.sum_columns": 7}), bus="plain")
    yield SerialTop(bfp, test=self_test_vectors(bfp))
    yield SerialEngine(EngineWithRegisters(engine_of(bfp)), bfp.serial, digest=0, test=self_test_vectors(bfp))
    for kind in UNITS.values():
        yield kind.make(kind.parameters())
    source, rounder = RandomSourceParams(lanes=2, rows=True), RounderParams()
    yield RandomSource(source, seeded=True)
    yield RoundingDecisions(source, rounder)
    yield StochasticRounder(StochasticParams(lanes=2, rows=True))
    stochastic = ConverterParams(lanes=2, rounding="half_step")
    yield UNITS["bfp_converter"].make(stochastic)
    yield UNITS["serial_bfp_converter"].make(stochastic)


@pytest.fixture(scope="module")
def instances() -> dict[type, list[tuple[wiring.Component, dict[str, Any]]]]:
    """Units of every class of `tops`, one of each signature, with the variables of its constructor."""
    found: dict[type, dict[str, tuple[wiring.Component, dict[str, Any]]]] = {}
    constructor = wiring.Component.__init__

    def remember(self, *arguments, **keywords):
        constructor(self, *arguments, **keywords)
        kind, variables = type(self), dict(sys._getframe(1).f_locals)
        if kind.__module__.startswith("lowtide."):
            found.setdefault(kind, {}).setdefault(str(dict(self.signature.members)), (self, variables))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring.Component, "__init__", remember)
        for top in tops():
            Fragment.get(top, Elaborator())
    return {kind: list(of.values()) for kind, of in found.items()}


class Names(dict[str, Any]):
    """Names that a docstring's expressions may use, as the docstring of `lowtide.netlist.Unit` lists them."""

    def __init__(self, unit: wiring.Component, variables: dict[str, Any]):
        super().__init__(KNOWN | vars(sys.modules[type(unit).__module__]) | variables)
        self._unit = unit
        self._others = [value for value in variables.values() if value is not unit]

    def __missing__(self, name: str) -> Any:
        owners = [self._unit, *self._others]
        if name in self._unit.signature.members:  # a parameter may have the name of a port
            owners = [*self._others, self._unit]
        for attribute in (name, f"_{name}"):
            for owner in owners:
                if hasattr(owner, attribute):
                    return getattr(owner, attribute)
        raise KeyError(name)


def listed(kind: type) -> dict[str, str]:
    """Ports in the docstring: name to direction and shape."""
    scope = vars(sys.modules[kind.__module__])
    section = re.search(r"^Members\n-+\n(.*?)(?=^\w+\n--|\Z)", inspect.cleandoc(kind.__doc__ or ""), re.DOTALL | re.M)
    ports: dict[str, str] = {}
    for names, text in re.findall(r"^(\w+(?:, \w+)*) : (.*)$", section[1] if section else "", re.MULTILINE):
        members = re.split(r", (?=(?:In|Out)\()", text)
        ports |= dict(zip(names.split(", "), members * (names.count(",") + 1 if len(members) == 1 else 1), strict=True))
    for prefix, other in re.findall(r"^(\w+)… : as in `(\w+)`$", section[1] if section else "", re.MULTILINE):
        ports |= {name: text for name, text in listed(scope[other]).items() if name.startswith(prefix)}
    return ports


def layout(shape: Any) -> Any:
    """A shape, in which a dict stands for a structure."""
    return data.StructLayout({name: layout(of) for name, of in shape.items()}) if isinstance(shape, dict) else shape


def same(text: str, member: Member, names: Names) -> bool:
    """Whether a docstring describes a port as the signature does."""
    match = re.fullmatch(r"(In|Out)\((stream of )?(.*)\)", text)
    if not match or Flow[match[1]] != member.flow:
        return False
    value, of_stream = layout(eval(match[3], {}, names)), match[2] is not None
    if not member.is_port and isinstance(member.signature, stream.Signature) == of_stream:
        member = member.signature.members["payload"] if of_stream else member
    elif of_stream or not member.is_port:
        return False
    if not member.is_port:
        return value == member.signature
    if isinstance(member.shape, data.Layout):
        return value == member.shape
    return Shape.cast(value) == Shape.cast(member.shape)


def differences(kind: type, units: list[tuple[wiring.Component, dict[str, Any]]]) -> list[str]:
    """Names of ports that the docstring lacks, has beside the signature's, or describes otherwise."""
    ports = listed(kind)
    known = {name for unit, _ in units for name in unit.signature.members}
    wrong = {
        name
        for unit, variables in units
        for name, member in dict(unit.signature.members).items()
        if name in ports and not same(ports[name], member, Names(unit, variables))
    }
    return sorted(known ^ set(ports) | wrong)


def test_docstrings_list_the_ports(instances):
    wrong = {kind.__qualname__: differences(kind, units) for kind, units in instances.items()}
    assert {name: ports for name, ports in wrong.items() if ports} == {}


def test_every_unit_is_compared(instances):
    def below(kind: type) -> Iterator[type]:
        for derived in kind.__subclasses__():
            yield derived
            yield from below(derived)

    units = {kind for kind in below(wiring.Component) if kind.__module__.startswith("lowtide.")}
    assert units - set(BASES) == set(instances)


class Described(Unit):
    """Unit with a correct docstring.

    Members
    -------
    a, b : In(width), Out(signed(width + 1))
        Ports with a member each.
    c, d : In(1)
        Ports that share a member.
    s : Out(stream of {"lane": ArrayLayout(width, 2), "last": 1})
        Stream of structures.
    """

    def __init__(self, width: int):
        self.module_name = f"described_{width}"
        lanes = data.StructLayout({"lane": data.ArrayLayout(width, 2), "last": 1})
        super().__init__(
            {
                "a": In(width),
                "b": Out(signed(width + 1)),
                "c": In(1),
                "d": In(1),
                "s": Out(stream.Signature(lanes)),
            }
        )


class Wrapper(Unit):
    """Unit with the ports of another.

    Members
    -------
    c : In(1)
        Own port.
    s… : as in `Described`
        Stream of structures.
    """

    def __init__(self, width: int):
        self.module_name = f"wrapper_{width}"
        inner = Described(width)
        super().__init__({name: inner.signature.members[name] for name in "cs"})


def test_ports_of_another_unit():
    assert differences(Wrapper, [(Wrapper(4), {"width": 4})]) == []


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("s… : as in", "b… : as in", ["b", "s"]),
        ("    s… : as in `Described`\n        Stream of structures.\n", "", ["s"]),
    ],
)
def test_a_wrong_reference_is_found(monkeypatch, old, new, wrong):
    text = Wrapper.__doc__ or ""
    assert old in text
    monkeypatch.setattr(Wrapper, "__doc__", text.replace(old, new))
    assert differences(Wrapper, [(Wrapper(4), {"width": 4})]) == wrong


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("a, b : In(width), Out", "a, b : In(width), Out", []),
        ("a, b : In(width), Out", "a, b : Out(width), Out", ["a"]),
        ("c, d : In(1)", "c, d : Out(1)", ["c", "d"]),
        ("c, d : In(1)", "c, d : In(1), In(2)", ["d"]),
        ("c, d : In(1)", "c, e : In(1)", ["d", "e"]),
        ("c, d : In(1)", "c : In(1)", ["d"]),
        ("c, d : In(1)", "c, d", ["c", "d"]),
        ("signed(width + 1)", "width + 1", ["b"]),
        ("signed(width + 1)", "signed(width)", ["b"]),
        ("c, d : In(1)", "c, d : In(stream of 1)", ["c", "d"]),
        ("stream of {", "{", ["s"]),
        ('"lane": ArrayLayout(width, 2)', '"lanes": ArrayLayout(width, 2)', ["s"]),
        ('"lane": ArrayLayout(width, 2)', '"lane": ArrayLayout(width, 3)', ["s"]),
    ],
)
def test_a_wrong_docstring_is_found(monkeypatch, old, new, wrong):
    text = Described.__doc__ or ""
    assert old in text
    monkeypatch.setattr(Described, "__doc__", text.replace(old, new))
    assert differences(Described, [(Described(4), {"width": 4})]) == wrong
