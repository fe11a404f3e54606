"""Controller of variable precision: counts the steps of a training."""

from typing import Any

from torch import nn

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import count, instance
from lowtide_torch.quantize import states

__all__ = ["Controller"]


class Controller:
    """Counts steps for `FastAdaptive` and `LowThenHigh`, like a learning-rate scheduler.

    Parameters
    ----------
    model : torch.nn.Module
        Network after `quantize_`.
    steps : int
        Steps of the whole training, ``I``.

    Raises
    ------
    IllegalValue
        If no module of the network is on an engine.
    """

    def __init__(self, model: nn.Module, steps: int):
        self.steps = count("steps", steps, 1)
        self.finished = 0
        self._states = states(instance("model", model, nn.Module))
        if not self._states:
            raise IllegalValue("model", "a network after quantize_", type(model).__name__)
        self._tell()

    def step(self) -> None:
        """Finish a step."""
        self.finished = min(self.finished + 1, self.steps)
        self._tell()

    def precision(self) -> dict[str, int]:
        """Chunks of the last training call of each operand, by names such as ``layer1.conv.forward.weights.b``."""
        return {f"{state.name}.{key}": chunks for state in self._states for key, chunks in state.chunks.items()}

    def improvement(self) -> dict[str, float]:
        """Last measured relative improvement of each operand, by the names of `precision`.

        ``low_sum / high_sum`` of a tensor: see `lowtide_model.Improvement`. Only `FastAdaptive` and `TwoSided` measure.
        """
        return {f"{state.name}.{key}": one.value for state in self._states for key, one in state.measured.items()}

    def state_dict(self) -> dict[str, Any]:
        """State for a checkpoint."""
        return {"steps": self.steps, "finished": self.finished}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.steps, self.finished = count("steps", state["steps"], 1), count("finished", state["finished"])
        self._tell()

    def _tell(self) -> None:
        for state in self._states:
            state.step, state.steps = self.finished, self.steps
