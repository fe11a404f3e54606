"""An engine on a board, where a driver for boards is installed."""

from importlib.metadata import entry_points

from lowtide.config import Config
from lowtide.errors import CommandError
from lowtide_model.engine.panels import MatrixEngine

__all__ = ["board_at"]

SECTIONS = ("array", "bfp", "engine")
"""Of a configuration, what a board's engine is generated for."""


def board_at(port: str | None, asked: Config | None) -> MatrixEngine:
    """The engine of the board at a port.

    Parameters
    ----------
    port : str, optional
        By default that of ``LOWTIDE_PORT``, or the only one on USB.
    asked : Config, optional
        What it must have been generated for.

    Raises
    ------
    CommandError
        If there is no driver, no such board, or one that was generated for something else.
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
