"""lowtide: a generator of synthesizable RTL for low-precision neural-network arithmetic."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lowtide.config import Config
    from lowtide.emission import emit, emit_engine, emit_unit
    from lowtide.errors import LowtideError

__all__ = ["Config", "LowtideError", "__version__", "emit", "emit_engine", "emit_unit"]

__version__ = version("lowtide")

_MODULES = {
    "Config": "lowtide.config",
    "LowtideError": "lowtide.errors",
    "emit": "lowtide.emission",
    "emit_engine": "lowtide.emission",
    "emit_unit": "lowtide.emission",
}


def __getattr__(name: str) -> Any:
    """Import public names on first use: ``lowtide --help`` must not wait for Amaranth."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
