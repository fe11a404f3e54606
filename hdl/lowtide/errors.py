"""Errors of lowtide, which all derive from `LowtideError`; each message is one line."""

__all__ = ["CommandError", "LowtideError", "SimulationError", "SimulatorMissing", "SynthesisError"]


class LowtideError(Exception):
    """Base class of every error that a user can correct; the command line prints its message and exits with 1."""


class CommandError(LowtideError):
    """Command that cannot run as requested."""


class SynthesisError(LowtideError, RuntimeError):
    """Synthesis, or place and route, failed or gave no figure."""


class SimulationError(LowtideError):
    """A bench failed or could not be built; the message names the log file."""


class SimulatorMissing(LowtideError):
    """A simulator, or a tool that it needs, is not installed; the message gives the command that installs it."""
