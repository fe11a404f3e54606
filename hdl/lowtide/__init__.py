"""lowtide: a generator of synthesizable RTL for low-precision neural-network arithmetic."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lowtide.errors import LowtideError

if TYPE_CHECKING:
    from lowtide.config import Config
    from lowtide.emission import emit

__all__ = ["Config", "LowtideError", "__version__", "emit"]

__version__ = version("lowtide")

_MODULES = {"Config": "lowtide.config", "emit": "lowtide.emission"}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that ``import lowtide`` does not import Amaranth."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value
