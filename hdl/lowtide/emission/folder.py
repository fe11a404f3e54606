"""A folder with Verilog and its sidecar, complete or not there at all."""

import json
from pathlib import Path
from typing import Any

from lowtide.config import Config
from lowtide.emission.complete import CompleteFiles
from lowtide.emission.registry import UNITS, parameters_of
from lowtide.emission.serial import SerialTop
from lowtide.emission.sidecar import array_sidecar, engine_sidecar, serial_sidecar, unit_sidecar
from lowtide.emission.top import AxiStreamArray, AxiStreamEngine
from lowtide.emission.verilog import verilog_of
from lowtide.hierarchy import Netlist, Unit

__all__ = ["emit", "emit_engine", "emit_serial", "emit_unit", "verilog_and_modules"]


def emit(config: Config, folder: Path, name: str = "lowtide_array") -> list[Path]:
    """Write the Verilog of a configuration's array, and its JSON sidecar, into ``folder``.

    Returns
    -------
    list of Path
        The files written: ``name.v`` and ``name.json``.

    Raises
    ------
    EmissionError
        If the folder cannot be written.
    """
    with CompleteFiles(folder) as files:
        top = AxiStreamArray(config, name)
        text, modules = verilog_and_modules(top)
        return files.write(_files(name, text, array_sidecar(config, top, top.array, modules, text)))


def emit_engine(config: Config, folder: Path, name: str = "lowtide_engine", bus: str = "axi4-lite") -> list[Path]:
    """Write the Verilog of a configuration's engine, and its JSON sidecar, into ``folder``.

    ``bus`` is what its registers are on: one of `ENGINE_BUSES`.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    EmissionError
        If the folder cannot be written.
    """
    top = AxiStreamEngine(config, name, bus)
    with CompleteFiles(folder) as files:
        text, modules = verilog_and_modules(top)
        return files.write(_files(name, text, engine_sidecar(top, modules, text)))


def emit_serial(config: Config, folder: Path, name: str = "lowtide_serial") -> list[Path]:
    """Write the Verilog of a configuration's engine at the end of a serial line, and its JSON sidecar, into ``folder``.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    EmissionError
        If the folder cannot be written.
    """
    top = SerialTop(config, name)
    with CompleteFiles(folder) as files:
        text, modules = verilog_and_modules(top)
        return files.write(_files(name, text, serial_sidecar(top, modules, text)))


def emit_unit(kind: str, config: Config, changes: dict[str, Any], folder: Path) -> list[Path]:
    """Write the Verilog of one unit of a configuration, with some parameters changed, and its JSON sidecar.

    Raises
    ------
    ConfigError
        If there is no such unit, or a parameter is not legal.
    EmissionError
        If the folder cannot be written.
    """
    parameters = parameters_of(kind, config, changes)
    unit = UNITS[kind].make(parameters)
    with CompleteFiles(folder) as files:
        text, modules = verilog_and_modules(unit)
        return files.write(_files(unit.module_name, text, unit_sidecar(parameters, unit, modules, text)))


def verilog_and_modules(top: Unit) -> tuple[str, list[str]]:
    """Verilog of a unit and of all below it, and the names of its modules, leaves first."""
    netlist = Netlist(top)
    return verilog_of(netlist.rtlil) + netlist.wiring, netlist.names


def _files(stem: str, text: str, sidecar: dict[str, Any]) -> dict[str, str]:
    return {f"{stem}.v": text, f"{stem}.json": json.dumps(sidecar, indent=2) + "\n"}
