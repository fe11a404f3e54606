"""What a simulation reports when it fails or cannot start."""

__all__ = ["SimulationError", "SimulatorMissing"]


class SimulationError(Exception):
    """A bench failed, or could not be built; the message is one line and names the log file."""


class SimulatorMissing(Exception):
    """A simulator, or a tool that it needs, is not installed; the message is one line that says how to get it."""
