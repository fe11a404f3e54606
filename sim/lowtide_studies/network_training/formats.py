"""Number formats in which a network is trained."""

from collections.abc import Callable
from typing import Any

import attrs

from lowtide.config import Config
from lowtide_studies.network_training.rounding import Rounder, round_bf16, round_int8
from lowtide_studies.network_training.run import Run
from lowtide_torch import BFP, FastAdaptive, LowThenHigh, Nearest, Stochastic, TwoSided
from lowtide_torch.settings import KINDS, Settings

__all__ = ["BASELINE", "FORMATS", "MSFP12", "Format"]

BASELINE = "fp32"


@attrs.frozen(kw_only=True)
class Format:
    """A format: settings of an engine, or rounding of operands without an engine, or neither.

    Parameters
    ----------
    settings : callable, optional
        Makes the settings of all products from the parameters of a training.
    changes : dict
        Configuration keys of the engine that differ from the default.
    rounder : callable, optional
        Rounding of operands, for a baseline.
    """

    settings: Callable[[Run], Settings] | None = None
    changes: dict[str, Any] = attrs.field(factory=dict)
    rounder: Rounder | None = None

    @property
    def config(self) -> Config:
        """Configuration of the engine."""
        return Config().changed(self.changes)


def fixed(bits: int, *, weights: int | None = None, gradients: int | None = None) -> Callable[[Run], Settings]:
    """Settings of a constant width: to nearest, gradients stochastically; weights or gradients have another width."""
    others = Nearest(bits if weights is None else weights), Stochastic(bits if gradients is None else gradients)
    return lambda run: BFP(weights=others[0], activations=Nearest(bits), gradients=others[1], seed=run.seed)


def adaptive(*kinds: str) -> Callable[[Run], Settings]:
    """Settings by FAST's rule for some kinds of operands."""
    return lambda run: FastAdaptive(alpha=run.alpha, beta=run.beta, kinds=kinds, seed=run.seed)


MSFP12 = {"bfp.chunk_a": 3, "bfp.chunk_b": 3, "bfp.mantissa": 3, "bfp.exponent": 5}
"""MSFP-12 has sign and 3 bits per number, and 8 bits of exponent per group; an engine has at most 5 of them."""

FORMATS = {
    BASELINE: Format(),
    "bf16": Format(rounder=round_bf16),
    "int8": Format(rounder=round_int8),
    "msfp12": Format(settings=fixed(3), changes=MSFP12),
    "fixed-4": Format(settings=fixed(4)),
    "fixed-4-2": Format(settings=fixed(4, gradients=2)),
    "fixed-2": Format(settings=fixed(2)),
    "adaptive": Format(settings=adaptive(*KINDS)),
    "adaptive-weights": Format(settings=adaptive("weights")),
    "two-sided": Format(settings=lambda run: TwoSided(seed=run.seed)),
    "low-then-high": Format(settings=lambda run: LowThenHigh(share=run.share, seed=run.seed)),
    "weights-2": Format(settings=fixed(4, weights=2)),
}
"""Formats by name."""
