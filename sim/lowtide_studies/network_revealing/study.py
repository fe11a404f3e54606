"""The study: networks by seeds, each trained once, and then measured with all settings."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs

from lowtide.errors import CommandError
from lowtide_studies.harness.jobs import Job, Runner, code_hash
from lowtide_studies.harness.statistics import Difference
from lowtide_studies.network_revealing.sweep import Trained, fine_tuned, plain_quality, swept
from lowtide_studies.network_training.run import Run
from lowtide_studies.network_training.study import data_of, training_code
from lowtide_studies.network_training.training import train
from lowtide_studies.term_revealing.revealed import Setting
from lowtide_studies.term_revealing.selection import ALLOWED, cheapest
from lowtide_studies.term_revealing.sweep import WIDTHS, Narrower, Point, Sweep

__all__ = ["CHECKPOINTS", "MOST_PERPLEXITY", "Result", "Tuned", "run_study"]

CHECKPOINTS = Path("build/studies/network-revealing")

MOST_PERPLEXITY = 2.0
"""Per cent of perplexity that term revealing may lose."""

PRESENTATION = ("command", "engines", "report", "study", "trainings")
"""Modules of this package on which no result depends."""

REVEALING = ("area_time", "command", "report", "selection", "study")
"""Modules of `lowtide_studies.term_revealing` on which no result depends."""


@attrs.frozen(kw_only=True)
class Tuned:
    """Scores of a setting after fine-tuning, one per seed; without a setting, of plain quantization."""

    setting: Setting | None
    validation: list[float]
    held_out: list[float]


@attrs.frozen(kw_only=True, eq=False)
class Result:
    """Results of a network.

    Parameters
    ----------
    run : Run
        Training of the first seed.
    data : str
        Title of the data.
    sweep : Sweep
        All settings. Scores are accuracies in per cent, or -100 times the cross-entropy in nats: a loss of one point is
        then 1 % of the perplexity.
    narrower : Narrower
        Plain quantization to fewer bits.
    tuned : list of Tuned
        After fine-tuning; plain quantization first.
    shapes : list of (int, int, int)
        M, K and N of the products of `SAMPLES` samples.
    """

    run: Run
    data: str
    sweep: Sweep
    narrower: Narrower
    tuned: list[Tuned]
    shapes: list[tuple[int, int, int]]

    @property
    def allowed(self) -> float:
        """Largest loss of a selected setting, in points of the score."""
        return 100 * math.log1p(MOST_PERPLEXITY / 100) if self.run.text else ALLOWED

    def chosen(self, encoding: str | None = None) -> Point | None:
        """The setting of fewest pairs that validation data select, among all encodings or of one."""
        points = [point for point in self.sweep.points if encoding in (None, point.setting.encoding)]
        return cheapest(attrs.evolve(self.sweep, points=points), allowed=self.allowed)

    def tuned_loss(self, tuned: Tuned) -> Difference:
        """Loss on test data after fine-tuning, relative to plain quantization after as much fine-tuning."""
        return Difference.of(self.tuned[0].held_out, tuned.held_out)

    def to_json(self) -> dict[str, Any]:
        """Plain values; the cheapest settings by encoding, of each seed too."""
        encodings = dict.fromkeys(point.setting.encoding for point in self.sweep.points)
        chosen = {encoding: self.chosen(encoding) for encoding in encodings}
        return {
            "run": attrs.asdict(self.run),
            "data": self.data,
            "allowed": self.allowed,
            "plain": attrs.asdict(self.sweep.plain),
            "points": [attrs.asdict(point) | {"bound": point.setting.bound} for point in self.sweep.points],
            "chosen": {name: None if point is None else attrs.asdict(point.setting) for name, point in chosen.items()},
            "narrower": {str(width): scores for width, scores in self.narrower.held_out.items()},
            "tuned": [attrs.asdict(one) for one in self.tuned],
            "shapes": [list(shape) for shape in self.shapes],
        }


def run_study(
    trainings: Sequence[tuple[Run, str]],
    settings: Sequence[Setting],
    tuned: Sequence[Setting],
    *,
    seeds: Sequence[int],
    width: int,
    steps: int,
    runner: Runner | None = None,
    checkpoints: Path = CHECKPOINTS,
) -> list[Result]:
    """Train each network per seed, and measure all settings, a job per encoding and group.

    Parameters
    ----------
    trainings : sequence of (Run, str)
        A training in FP32 per network, and its images or text.
    settings, tuned : sequence of Setting
        Settings that are measured without retraining, and after fine-tuning.
    seeds : sequence of int
        Seeds of the trainings.
    width : int
        Bits per integer.
    steps : int
        Steps of fine-tuning; 0 for none.
    runner : Runner, optional
        Runs the jobs and keeps their results.
    checkpoints : Path
        Folder of the trained weights.
    """
    runner = runner or Runner()
    data_of.cache_clear()
    versions = version("torch"), version("numpy")
    code = (
        training_code(),
        code_hash(("lowtide_studies.term_revealing",), REVEALING),
        code_hash(("lowtide_studies.network_revealing",), PRESENTATION),
    )
    groups = _by_weights(settings)
    first, later, titles = [], [], []
    for run, source in trainings:
        data = data_of(run.text, source)
        titles.append(data.title)
        for seed in seeds:
            own = attrs.evolve(run, seed=seed)
            inputs = (*versions, data.sha256, json.dumps(attrs.asdict(own)))
            name = f"{run.network}, seed {seed}"
            job = Job(name=name, inputs=(code[0], *inputs), function=_train)
            base = (own, source, checkpoints / f"{job.key}.pt")
            first.append(attrs.evolve(job, arguments=base))
            jobs: list[tuple[str, Any, tuple]] = [("plain quantization", _plain, (width,))]
            jobs += [(f"{many[0].encoding}, g = {many[0].group}", _sweep, (width, many)) for many in groups]
            jobs += [(f"fine-tuning, {one or 'plain'}", _tune, (width, one, steps)) for one in _tuned(tuned, steps)]
            for what, function, arguments in jobs:
                its = (*code, *inputs, function.__name__, repr(arguments))
                later.append(Job(name=f"{name}, {what}", inputs=its, function=function, arguments=(*base, *arguments)))
    runner.run("Training", first)
    results = iter(runner.run("Term revealing", later))
    found = []
    for (run, _), title in zip(trainings, titles, strict=True):
        by_seed = []
        for _ in seeds:
            plain = next(results)
            points = [point for _ in groups for point in next(results)]
            scores = [next(results) for _ in _tuned(tuned, steps)]
            by_seed.append((plain, points, scores))
        one = attrs.evolve(run, seed=seeds[0])
        found.append(_result(one, title, width, by_seed, _tuned(tuned, steps)))
    return found


def _tuned(settings: Sequence[Setting], steps: int) -> list[Setting | None]:
    return [None, *settings] if steps else []


def _by_weights(settings: Iterable[Setting]) -> list[tuple[Setting, ...]]:
    """Settings by encoding and group."""
    groups: dict[tuple[str, int], list[Setting]] = {}
    for setting in settings:
        groups.setdefault((setting.encoding, setting.group), []).append(setting)
    return [tuple(many) for many in groups.values()]


def _result(run: Run, title: str, width: int, by_seed: Sequence[tuple], tuned: Sequence[Setting | None]) -> Result:
    plain = [
        {"network": run.network, "width": width, "plain": one["plain"], "points": points} for one, points, _ in by_seed
    ]
    narrower = {bits: [one["narrower"][place] for one, *_ in by_seed] for place, bits in enumerate(WIDTHS)}
    scores = [[scores[place] for _, _, scores in by_seed] for place in range(len(tuned))]
    return Result(
        run=run,
        data=title,
        sweep=Sweep.from_json(plain),
        narrower=Narrower(network=run.network, held_out=narrower),
        tuned=[
            Tuned(setting=setting, **{key: [one[key] for one in many] for key in ("validation", "held_out")})
            for setting, many in zip(tuned, scores, strict=True)
        ],
        shapes=[(m, k, n) for m, k, n in by_seed[0][0]["shapes"]],
    )


def _train(run: Run, source: str, checkpoint: Path) -> dict[str, Any]:
    """Train, and leave the weights in the checkpoint."""
    trained = train(run, data_of(run.text, source), checkpoint)
    if not trained.finite:
        raise CommandError(f"the training of {run.network} with seed {run.seed} has numbers that are not finite")
    return {"quality": trained.quality, "sha256": trained.sha256}


def _trained(run: Run, source: str, checkpoint: Path) -> Trained:
    return Trained(run, data_of(run.text, source), checkpoint)


def _plain(run: Run, source: str, checkpoint: Path, width: int) -> Mapping[str, Any]:
    return plain_quality(_trained(run, source, checkpoint), width)


def _sweep(run: Run, source: str, checkpoint: Path, width: int, settings: tuple[Setting, ...]) -> list[dict[str, Any]]:
    return swept(_trained(run, source, checkpoint), width, settings)


def _tune(run: Run, source: str, checkpoint: Path, width: int, setting: Setting | None, steps: int) -> dict[str, Any]:
    return fine_tuned(_trained(run, source, checkpoint), width, setting, steps)
