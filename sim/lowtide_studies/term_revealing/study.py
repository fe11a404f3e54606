"""All that the study of term revealing tries, and what came out."""

import math
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import attrs
from threadpoolctl import threadpool_limits

from lowtide_studies.harness.statistics import Difference
from lowtide_studies.term_revealing.choice import ALLOWED, by_bound, by_present, cheapest, front
from lowtide_studies.term_revealing.narrower_integers import Narrower, run_narrower
from lowtide_studies.term_revealing.pretrained import pretrained
from lowtide_studies.term_revealing.setting import Setting
from lowtide_studies.term_revealing.sweep import Point, Sweep, run_sweep

__all__ = ["COSTS", "PACKAGES", "Study", "run_study"]

PACKAGES = ("lowtide", "numpy", "scikit-learn")
"""What figures depend on."""

COSTS = {"bound": by_bound, "present": by_present}
"""By what a setting is the cheapest."""

PRESENT = ("binary", "hese")
"""Encodings in which the terms of plain quantization are counted: the headline's, and the strictest."""


@attrs.frozen(kw_only=True, eq=False)
class Study:
    """What came out.

    Parameters
    ----------
    seeds : tuple of int
    split : int
        Which images are held out.
    by_channel : bool
        Whether weights have a scale for each output of a layer.
    sweeps : list of Sweep
        By network, and then by width.
    narrower : list of Narrower
        By network.
    """

    seeds: tuple[int, ...]
    split: int
    by_channel: bool
    sweeps: list[Sweep]
    narrower: list[Narrower]

    @property
    def widest(self) -> list[Sweep]:
        """Of each network the sweep at the most bits."""
        return list({sweep.network: sweep for sweep in sorted(self.sweeps, key=lambda sweep: sweep.width)}.values())

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, every seed included."""
        return {
            "versions": {name: version(name) for name in PACKAGES},
            "seeds": list(self.seeds),
            "split": self.split,
            "by_channel": self.by_channel,
            "allowed_loss": ALLOWED,
            "sweeps": [_plain_sweep(sweep) for sweep in self.sweeps],
            "narrower": [attrs.asdict(narrower) for narrower in self.narrower],
        }


def run_study(
    networks: Sequence[str],
    widths: Sequence[int],
    settings: Sequence[Setting],
    *,
    seeds: Sequence[int],
    split: int,
    by_channel: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> Study:
    """Train, quantize, reveal and judge.

    Parameters
    ----------
    networks : sequence of str
        Of `lowtide_studies.term_revealing.pretrained.SCHEDULES`.
    widths : sequence of int
        Bits of an integer.
    settings : sequence of Setting
        Those with the same weights one after the other.
    seeds : sequence of int
        Of each network.
    split, by_channel
        As of `pretrained` and of `run_sweep`.
    progress : callable
        Called after each setting of each seed, width and network.
    """
    sweeps, narrower = [], []
    # On products as small as these a second thread takes more time than it saves.
    with threadpool_limits(1):
        for name in networks:
            trained = [pretrained(name, seed, split) for seed in seeds]
            for width in widths:
                sweeps.append(run_sweep(name, width, trained, settings, by_channel=by_channel, progress=progress))
            narrower.append(run_narrower(name, trained, by_channel=by_channel))
    return Study(seeds=tuple(seeds), split=split, by_channel=by_channel, sweeps=sweeps, narrower=narrower)


def _plain_sweep(sweep: Sweep) -> dict[str, Any]:
    """A sweep, and what is said of its points."""
    places = {point.setting: number for number, point in enumerate(sweep.points)}
    chosen = {name: cheapest(sweep, cost) for name, cost in COSTS.items()}
    return {
        "network": sweep.network,
        "width": sweep.width,
        "plain": attrs.asdict(sweep.plain),
        "points": [_plain_point(sweep, point) for point in sweep.points],
        "cheapest": {name: None if point is None else places[point.setting] for name, point in chosen.items()},
        "front": [places[point.setting] for point in front(sweep)],
    }


def _plain_point(sweep: Sweep, point: Point) -> dict[str, Any]:
    return attrs.asdict(point) | {
        "bound": point.setting.bound,
        "cycles": point.setting.cycles,
        "validation_loss": _plain_difference(sweep.validation_loss(point)),
        "held_out_loss": _plain_difference(sweep.loss(point)),
        "times_fewer": sweep.times_fewer(point),
        "times_fewer_at_most": sweep.times_fewer_at_most(point),
        "times_fewer_present": {encoding: sweep.times_fewer_present(point, encoding) for encoding in PRESENT},
        "present_to_bound": {encoding: sweep.present_to_bound(point, encoding) for encoding in PRESENT},
    }


def _plain_difference(difference: Difference) -> dict[str, float | None]:
    """The error of one seed is None, since JSON has no NaN."""
    error = None if math.isnan(difference.error) else difference.error
    return {"mean": difference.mean, "error": error}
