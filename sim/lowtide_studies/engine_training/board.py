"""Engine on a board, through the driver for boards."""

from importlib.metadata import entry_points

from lowtide.config import Config
from lowtide.errors import CommandError
from lowtide_model.engine.panels import MatrixEngine

__all__ = ["board_at"]

SECTIONS = ("array", "bfp", "engine")
"""Sections of a configuration that determine the engine of a board."""


def board_at(port: str | None, asked: Config | None) -> MatrixEngine:
    """The engine of the board at a port.

    Parameters
    ----------
    port : str, optional
        ``LOWTIDE_PORT`` by default, or the only USB port.
    asked : Config, optional
        Required configuration.

    Raises
    ------
    CommandError
        If the driver or the board is missing, or the configurations differ.
    """
    found = entry_points(group="lowtide.engines", name="board")
    try:
        engine: MatrixEngine = next(iter(found)).load()(port)
    except (StopIteration, ModuleNotFoundError):
        raise CommandError("a board needs its driver: pip install 'lowtide[boards]'") from None
    has, wants = engine.config.to_tables(), (asked or engine.config).to_tables()
    for section in SECTIONS:
        for key, value in wants[section].items():
            if has[section][key] != value:
                raise CommandError(
                    f"the board has {section}.{key} = {has[section][key]}, not {value}, for which it was asked"
                )
    return engine
