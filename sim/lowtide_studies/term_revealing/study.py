"""The study: networks by widths by seeds, each with all settings."""

from collections.abc import Sequence
from typing import Any

import attrs

from lowtide_studies.harness.jobs import Job, Runner, training_inputs
from lowtide_studies.harness.statistics import Difference
from lowtide_studies.term_revealing.quantized import pretrained
from lowtide_studies.term_revealing.revealed import Setting
from lowtide_studies.term_revealing.selection import ALLOWED, COSTS, cheapest, front
from lowtide_studies.term_revealing.sweep import WIDTHS, Narrower, Point, Sweep, run_narrower, run_sweep

__all__ = ["Study", "run_study"]

PRESENT = ("binary", "hese")
"""Encodings in which the terms of plain quantization are counted: the usual encoding, and the one of fewest terms."""

PRESENTATION = ("area_time", "command", "report", "selection")
"""Modules of this package on which no result depends."""


@attrs.frozen(kw_only=True, eq=False)
class Study:
    """Results by network, and of the sweeps also by width."""

    seeds: tuple[int, ...]
    split: int
    by_channel: bool
    sweeps: list[Sweep]
    narrower: list[Narrower]

    @property
    def widest(self) -> list[Sweep]:
        """The sweep at the most bits of each network."""
        return list({sweep.network: sweep for sweep in sorted(self.sweeps, key=lambda sweep: sweep.width)}.values())

    def settings_to_json(self) -> dict[str, Any]:
        chosen = {"seeds": list(self.seeds), "split": self.split, "by_channel": self.by_channel}
        return chosen | {"allowed_loss": ALLOWED}

    def rows(self) -> list[dict[str, Any]]:
        """Plain values of each sweep, each seed included."""
        narrower = {one.network: one.held_out for one in self.narrower}
        return [_plain_sweep(sweep) | {"narrower": narrower[sweep.network]} for sweep in self.sweeps]


def run_study(
    networks: Sequence[str],
    widths: Sequence[int],
    settings: Sequence[Setting],
    *,
    seeds: Sequence[int],
    split: int,
    by_channel: bool = False,
    runner: Runner | None = None,
) -> Study:
    """Train networks of `SCHEDULES`, quantize, reveal terms, and measure accuracy and pairs: a job per width and seed.

    Settings with equal weights are in sequence. The split chooses the held-out images. With ``by_channel``, each output
    of a layer has its own scale of weights.
    """
    inputs = training_inputs("lowtide_studies.term_revealing", excluded=PRESENTATION)

    def job(name: str, function: Any, *arguments: Any) -> Job:
        its = (*inputs, function.__name__, repr(arguments))
        return Job(name=name, inputs=its, function=function, arguments=arguments)

    jobs = []
    for name in networks:
        for seed in seeds:
            base = (name, seed, split, by_channel)
            jobs += [job(f"{name}, {w} bits, seed {seed}", _sweep, *base, w, tuple(settings)) for w in widths]
            jobs.append(job(f"{name}, fewer bits, seed {seed}", _narrower, *base))
    results = iter((runner or Runner()).run("Term revealing", jobs))
    sweeps, narrower = [], []
    for name in networks:
        found = [[next(results) for _ in range(len(widths) + 1)] for _ in seeds]
        sweeps += [Sweep.from_json([one[n] for one in found]) for n in range(len(widths))]
        held_out = {width: [one[-1][n] for one in found] for n, width in enumerate(WIDTHS)}
        narrower.append(Narrower(network=name, held_out=held_out))
    return Study(seeds=tuple(seeds), split=split, by_channel=by_channel, sweeps=sweeps, narrower=narrower)


def _sweep(
    name: str, seed: int, split: int, by_channel: bool, width: int, settings: tuple[Setting, ...]
) -> dict[str, Any]:
    return attrs.asdict(run_sweep(name, width, [pretrained(name, seed, split)], settings, by_channel=by_channel))


def _narrower(name: str, seed: int, split: int, by_channel: bool) -> list[float]:
    return run_narrower(pretrained(name, seed, split), by_channel=by_channel)


def _plain_sweep(sweep: Sweep) -> dict[str, Any]:
    """Plain values of a sweep, with its cheapest settings and its front."""
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


def _plain_difference(difference: Difference) -> dict[str, float]:
    return {"mean": difference.mean, "error": difference.error}
