"""An engine whose gradients are rounded by any method of the golden model."""

import attrs
import numpy as np
import torch
from torch import Tensor

from lowtide.config import Config
from lowtide_model import quantize
from lowtide_studies.network_training.cycles import CountingEngine
from lowtide_studies.networks.products import GradientRounding
from lowtide_studies.networks.roundings import NAMED
from lowtide_torch.conversion import Format
from lowtide_torch.operand import Operand

__all__ = ["RoundingEngine"]


class RoundingEngine(CountingEngine):
    """An engine that receives gradients which are rounded already: it converts them without another change.

    The random source of a rounding continues from tensor to tensor, as in hardware, and starts from reset in each
    epoch.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    rounding : str
        One of `lowtide_studies.networks.roundings.NAMED`.
    seed : int
        Seed of ideal random numbers.
    """

    def __init__(self, config: Config, rounding: str, seed: int):
        super().__init__(config)
        self.name, self.seed = rounding, seed
        self.restart(0)

    def restart(self, epoch: int) -> None:
        """Reset the random source for an epoch."""
        rounding = NAMED[self.name].make(self.seed + epoch * 2**32)
        assert rounding is not None
        self.rounding = GradientRounding(rounding)

    def with_bias(self, operand: Operand, layer: str = "") -> Operand:
        """An operand with its bias; a gradient is rounded where it first gets its bias."""
        first = operand.settings.bias is None
        operand = super().with_bias(operand, layer)
        if not first or not operand.what.startswith("gradients"):
            return operand
        side = "b" if operand.what.endswith("(to_weights)") else "a"
        settings = attrs.evolve(operand.settings, rounding="nearest")
        form = self.format_of(side, settings)
        axis = -1 if side == "a" else -2
        return attrs.evolve(operand, x=self._rounded(operand.x, axis, form), settings=settings)

    def _rounded(self, x: Tensor, axis: int, form: Format) -> Tensor:
        length, lanes = x.shape[axis], form.lanes
        rounding = self.rounding.take(x.numel() // length, -(-length // lanes) * lanes)
        values = quantize(
            x.detach().numpy(),
            mantissa=form.mantissa,
            exponent=form.exponent,
            group=lanes,
            axis=axis,
            bias=form.bias,
            rounding=rounding,
        )
        return torch.from_numpy(values.to_float().astype(np.float32))
