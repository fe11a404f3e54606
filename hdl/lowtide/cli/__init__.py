"""The command line."""

from lowtide.cli.main import main

__all__ = ["main"]
