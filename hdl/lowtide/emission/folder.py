"""Emission folder: writes Verilog and its sidecar, together or not at all."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lowtide.config import Config
from lowtide.emission.complete import CompleteFiles
from lowtide.emission.registry import UNITS, parameters_of
from lowtide.emission.serial import SerialTop
from lowtide.emission.sidecar import array_sidecar, engine_sidecar, serial_sidecar, unit_sidecar
from lowtide.emission.top import AxiStreamArray, AxiStreamEngine
from lowtide.emission.verilog import verilog_of
from lowtide.netlist import Netlist, Unit
from lowtide.netlist.identifier import check_identifier

__all__ = ["emit", "emit_engine", "emit_serial", "emit_unit", "verilog_and_modules"]


def emit(
    config: Config,
    folder: Path,
    name: str = "lowtide_array",
    prefix: str | None = None,
    *,
    initial_values: bool = True,
) -> list[Path]:
    """Write the Verilog of a configuration's array, and its JSON sidecar, into ``folder``.

    Parameters
    ----------
    config : Config
        The configuration.
    folder : Path
        Output folder; created if it does not exist.
    name : str
        Name of the top module, and of the files.
    prefix : str, optional
        Prefix of the names of all other modules; by default ``name``.
    initial_values : bool
        Whether registers and writable memories have power-up values; otherwise only reset initializes them.

    Returns
    -------
    list of Path
        The files written: ``name.v`` and ``name.json``.

    Raises
    ------
    IllegalValue
        If ``name`` or ``prefix`` is not an identifier, or a port or another module has that ``name``. Nothing is
        written.
    EmissionError
        If the folder cannot be written.
    """
    _check_names(name, prefix)
    with CompleteFiles(folder) as files:
        top = AxiStreamArray(config, name)
        return _write(files, top, prefix, partial(array_sidecar, config, top, top.array), initial_values)


def emit_engine(
    config: Config,
    folder: Path,
    name: str = "lowtide_engine",
    bus: str = "axi4-lite",
    prefix: str | None = None,
    *,
    initial_values: bool = True,
) -> list[Path]:
    """Write the Verilog of a configuration's engine, and its JSON sidecar, into ``folder``.

    ``bus`` is the bus of its registers, one of `ENGINE_BUSES`. `emit` describes the other parameters.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    IllegalValue, EmissionError
        See `emit`.
    """
    _check_names(name, prefix)
    top = AxiStreamEngine(config, name, bus)
    with CompleteFiles(folder) as files:
        return _write(files, top, prefix, partial(engine_sidecar, top), initial_values)


def emit_serial(
    config: Config,
    folder: Path,
    name: str = "lowtide_serial",
    prefix: str | None = None,
    *,
    initial_values: bool = True,
) -> list[Path]:
    """Write the Verilog of a configuration's engine behind a UART, and its JSON sidecar, into ``folder``.

    `emit` describes the parameters.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    IllegalValue, EmissionError
        See `emit`.
    """
    _check_names(name, prefix)
    top = SerialTop(config, name)
    with CompleteFiles(folder) as files:
        return _write(files, top, prefix, partial(serial_sidecar, top), initial_values)


def emit_unit(
    kind: str,
    config: Config,
    changes: dict[str, Any],
    folder: Path,
    prefix: str | None = None,
    *,
    initial_values: bool = True,
) -> list[Path]:
    """Write the Verilog of one unit of a configuration, with some parameters changed, and its JSON sidecar.

    The module and the files have the unit's own name, which contains its parameters. `emit` describes ``prefix`` and
    ``initial_values``.

    Raises
    ------
    ConfigError
        If the unit does not exist, or a parameter is not legal.
    IllegalValue, EmissionError
        See `emit`.
    """
    parameters = parameters_of(kind, config, changes)
    unit = UNITS[kind].make(parameters)
    _check_names(unit.module_name, prefix)
    with CompleteFiles(folder) as files:
        return _write(files, unit, prefix, partial(unit_sidecar, parameters, unit), initial_values)


def verilog_and_modules(top: Unit, prefix: str | None = None, *, initial_values: bool = True) -> tuple[str, list[str]]:
    """Return the Verilog of a unit and of all modules below it, and the names of the modules, leaves first.

    ``prefix`` begins the names of all modules but the top; by default it is the top's name. `emit` describes
    ``initial_values``.
    """
    netlist = Netlist(top, prefix, initial_values=initial_values)
    text = verilog_of(netlist.rtlil)
    for name in netlist.names:
        text = text.replace(f"\\{name} ", name)  # Yosys escapes a $, which needs no escape
    return text + netlist.wiring, netlist.names


def _check_names(name: str, prefix: str | None) -> None:
    """Refuse illegal names before any work is done."""
    check_identifier("name", name)
    if prefix is not None:
        check_identifier("prefix", prefix)


def _write(
    files: CompleteFiles, top: Unit, prefix: str | None, sidecar: Callable[..., dict[str, Any]], initial_values: bool
) -> list[Path]:
    text, modules = verilog_and_modules(top, prefix, initial_values=initial_values)
    contents = json.dumps(sidecar(modules, text, initial_values), indent=2) + "\n"
    return files.write({f"{top.module_name}.v": text, f"{top.module_name}.json": contents})
