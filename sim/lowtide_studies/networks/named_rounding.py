"""Roundings of gradients, by name."""

from collections.abc import Callable

import attrs
import numpy as np

from lowtide.units.random.params import RandomSourceParams
from lowtide_model import Ideal, Stochastic, reference
from lowtide_model.stochastic import RoundingMethod
from lowtide_studies.networks.neighbor import Neighbor

__all__ = ["BASELINE", "IDEAL", "NAMED", "PLATEAU", "USUAL_ROUNDINGS", "NamedRounding"]

LANES = 16
"""Lanes of the converter, each with its own word: all lanes of a group."""

BASELINE, IDEAL = "fp32", "ideal"
PLATEAU = ("plateau-space", "plateau-time")
"""Short random words, the subject of the project."""


@attrs.frozen
class NamedRounding:
    """A rounding in a study.

    Parameters
    ----------
    meaning : str
        Short description.
    make : callable
        Returns a rounding of `lowtide_model.quantize` for the seed of a run, which only ideal rounding uses; None
        for no quantization.
    """

    meaning: str
    make: Callable[[int], str | RoundingMethod | None]


def _ideal(seed: int) -> Ideal:
    return Ideal(np.random.default_rng([seed, 2]))


def _short(mode: str, polarity: str, lanes: int) -> Stochastic:
    """Words of 3 bits for 16 lanes, from several generators with different seeds."""
    seeds = range(1, LANES // lanes + 1)
    sources = (
        RandomSourceParams(bits=3, width=3, polarity=polarity, lanes=lanes, rows=True, seed=seed) for seed in seeds
    )
    return Stochastic(mode=mode, source=tuple(sources))


NAMED = {
    BASELINE: NamedRounding("nothing is quantized", lambda _: None),
    "nearest": NamedRounding("to nearest, ties away from zero", lambda _: "nearest"),
    "nearest_even": NamedRounding("to nearest, ties to even", lambda _: "nearest_even"),
    "truncate": NamedRounding("towards zero", lambda _: "truncate"),
    IDEAL: NamedRounding("up with the probability of the fraction", _ideal),
    "reference": NamedRounding("24-bit LFSR, 24-bit words, carry", lambda _: reference(LANES)),
    "raw": NamedRounding("3-bit LFSR without correction, carry", lambda _: _short("carry", "plain", 4)),
    "raw-half": NamedRounding("3-bit LFSR without correction, half step", lambda _: _short("half_step", "plain", 4)),
    "plateau-space": NamedRounding("3-bit plateau in space, half step", lambda _: _short("half_step", "space", 8)),
    "plateau-time": NamedRounding("3-bit plateau in time, half step", lambda _: _short("half_step", "time", 4)),
    "plateau-carry": NamedRounding("3-bit plateau in space, carry", lambda _: _short("carry", "space", 8)),
    "uniform": NamedRounding("all 3-bit words, half step", lambda _: _short("half_step", "uniform", 8)),
    "neighbor-low": NamedRounding(
        "last 3 bits of the next lane, half step", lambda _: Neighbor(leading=False, alternating=False)
    ),
    "neighbor": NamedRounding("leading 3 bits of the next lane, half step", lambda _: Neighbor(alternating=False)),
    "neighbor-plateau": NamedRounding("leading 3 bits of the next lane, every second inverted", lambda _: Neighbor()),
}

USUAL_ROUNDINGS = tuple(name for name in NAMED if name != "nearest")
"""Default roundings of a study; of the roundings to nearest, the one of weights and activations."""
