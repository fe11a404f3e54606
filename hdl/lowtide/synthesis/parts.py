"""Parts of a report: the modules of an array or engine, or a single unit."""

from collections.abc import Sequence
from typing import Any

from lowtide.array.array_factory import element_factory
from lowtide.array.element import port_width
from lowtide.array.skew import skew
from lowtide.config import Config
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.registry import UNITS, parameters_of
from lowtide.emission.serial import SerialTop
from lowtide.emission.top import AxiStreamArray, AxiStreamEngine
from lowtide.netlist import Unit
from lowtide.synthesis.measure import Design

__all__ = ["LARGEST_WHOLE", "engine_parts_of", "part_names", "parts_of", "serial_parts_of", "unit_alone"]

LARGEST_WHOLE = 256
"""Maximum number of processing elements synthesized at once; of a larger array only the parts are measured."""

TERM_PARTS = ("term_row", "term_column", "term_loader", "term_control")
SKEWS = ("skew_a", "skew_b")
ENGINE_PARTS = {
    "transposer": "transposer",
    "bfp_converter": "bfp_converter",
    "loader": "loader",
    "operand_buffer": "operand_buffer",
    "dispatcher": "dispatcher",
    "sequencer": "sequencer",
    "results": "results",
    "post_operations": "post_operations",
    "packed_results": "packed_results",
    "registers": "register_bank",
    "axi_lite": "axi_lite",
    "array": "systolic_array",
}
"""Kinds of modules, by their names in a report."""
CONVERSION_PARTS = ("transposer", "bfp_converter")
"""Parts that an engine of integers lacks."""
SUM_PARTS = {"sum_planner": "sum_planner", "sum_memory": "sum_memory"}
"""Further kinds of modules of an engine with sums on chip."""
SERIAL_PARTS = (
    *("uart_receiver", "uart_transmitter", "frame_receiver", "frame_sender", "executor"),
    *("operand_queue", "result_queue", "beat_packer", "beat_unpacker"),
)


def part_names(config: Config, top: str) -> list[str]:
    """Return the names of the parts of an ``array``, ``engine`` or ``serial`` top, without building anything."""
    whole = [top] if config.array.rows * config.array.columns <= LARGEST_WHOLE else []
    match top:
        case "engine":
            return [*_engine_parts(config), *whole]
        case "serial":
            return [*SERIAL_PARTS, "engine", *whole]
    inner = TERM_PARTS if config.array.operands == "integers" else SKEWS
    return [config.array.element, "feeder", *_drain_parts(config), *inner, *whole]


def parts_of(config: Config) -> list[Design]:
    """Return the modules of an array as it instantiates them, and the array."""
    top = AxiStreamArray(config)
    text, modules = verilog_and_modules(top)
    rows, columns = config.array.rows, config.array.columns
    element = element_factory(config.array.element, config.bfp, config.terms)()

    units = {config.array.element: element.module_name, "feeder": "feeder_"}
    units |= {part: f"{part}_" for part in _drain_parts(config)}
    if config.array.operands == "integers":
        units |= {part: f"{part}_" for part in TERM_PARTS}
    else:
        a_width, b_width = port_width(element, "a_i"), port_width(element, "b_i")
        units |= {
            "skew_a": skew(rows * a_width, config.array.block_rows * a_width, config.array.skew).module_name,
            "skew_b": skew(columns * b_width, config.array.block_columns * b_width, config.array.skew).module_name,
        }
    parts = {part: _module(top, modules, unit) for part, unit in units.items()}
    if rows * columns <= LARGEST_WHOLE:
        parts["array"] = top.module_name
    return [Design(name, text, module) for name, module in parts.items()]


def _drain_parts(config: Config) -> list[str]:
    """Return the parts that results pass behind the grid: only the sums of ``pair_mac`` are not running sums."""
    return ["collector"] if config.array.element == "pair_mac" else ["differentiators", "collector"]


def engine_parts_of(config: Config) -> list[Design]:
    """Return the modules of an engine as it instantiates them, and the engine."""
    top = AxiStreamEngine(config, bus="axi4-lite")
    text, modules = verilog_and_modules(top)
    # An engine that takes few numbers per cycle has the smaller converter.
    serial = any(name.startswith(f"{top.module_name}_serial_bfp_converter_") for name in modules)
    kinds = _engine_parts(config) | ({"bfp_converter": "serial_bfp_converter"} if serial else {})
    parts = {part: _module(top, modules, f"{kind}_") for part, kind in kinds.items()}
    if config.array.rows * config.array.columns <= LARGEST_WHOLE:
        parts["engine"] = top.module_name
    return [Design(name, text, module) for name, module in parts.items()]


def _engine_parts(config: Config) -> dict[str, str]:
    """Return the kinds of modules of an engine, without those that the engine of a configuration lacks."""
    kinds = ENGINE_PARTS | (SUM_PARTS if config.engine.sum_rows else {})
    if config.array.element != "fmac":
        kinds = {name: kind for name, kind in kinds.items() if name not in CONVERSION_PARTS}
        array = "term_array" if config.array.element == "tmac" else "systolic_array"
        kinds |= {"loader": "integer_loader", "array": array, "packed_results": "integer_results"}
    elif not config.engine.transpose_depth:
        del kinds["transposer"]
    return {name: kind for name, kind in kinds.items() if getattr(config.engine, name, True)}


def serial_parts_of(config: Config) -> list[Design]:
    """Return the modules of a serial top, its engine, and the top."""
    top = SerialTop(config)
    text, modules = verilog_and_modules(top)
    parts = {kind: _module(top, modules, kind) for kind in SERIAL_PARTS}
    parts["engine"] = next(
        name for name in modules if name.startswith(f"{top.module_name}_engine_") and name.endswith("_registers")
    )
    if config.array.rows * config.array.columns <= LARGEST_WHOLE:
        parts["serial"] = top.module_name
    return [Design(name, text, module) for name, module in parts.items()]


def _module(top: Unit, modules: Sequence[str], unit: str) -> str:
    """Return the first module below a top whose unit name has a prefix."""
    return next(name for name in modules if name.startswith(f"{top.module_name}_{unit}"))


def unit_alone(kind: str, config: Config, changes: dict[str, Any]) -> Design:
    """Return a single unit of `lowtide list`, with some of its parameters changed.

    Raises
    ------
    ConfigError
        If the unit does not exist, or a parameter is not legal.
    """
    unit = UNITS[kind].make(parameters_of(kind, config, changes))
    text, _ = verilog_and_modules(unit)
    return Design(unit.module_name, text, unit.module_name)
