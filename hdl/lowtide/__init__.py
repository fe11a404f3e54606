"""lowtide: a generator of synthesizable RTL for low-precision neural-network arithmetic."""

from importlib.metadata import version

__version__ = version("lowtide")
