"""The steps of the study: uniform bits, single steps, path, search."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from statistics import mean
from typing import Any

import attrs
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState

from lowtide_studies.harness.jobs import Job, Runner, code_hash
from lowtide_studies.layer_precision.search import Found, Point, Space, choose, path, single_steps, spread
from lowtide_studies.layer_precision.task import Costs, Task, evaluate, noise_of

__all__ = ["Outcome", "explore", "tuned_noise"]

Step = tuple[int, int]
"""Place of an operand, and its bits."""

PATH, TUNED_PATH = 24, 12
"""Most points of the path whose quality is measured; with tuned weights, a point takes several times as long."""
POPULATION = 20
"""Points of a generation of NSGA-II, an evolutionary search for several objectives."""


@attrs.frozen(kw_only=True)
class Outcome:
    """Everything that was measured.

    Parameters
    ----------
    quality, tested : float
        Quality in FP32, of the samples of the search, and of the others.
    found : tuple of Found
        All points, each once, with tuned weights if the task has samples for it.
    stored : tuple of Found
        Equal bits with the weights of the file, if the others have tuned weights.
    """

    quality: float
    tested: float
    found: tuple[Found, ...]
    stored: tuple[Found, ...] = ()

    def suffices(self, loss: float) -> bool:
        """Whether a point loses at most so much quality."""
        return choose(self.found, self.quality - loss) is not None

    def chosen(self, loss: float) -> Found:
        """The point that `choose` finds for this loss of quality; if there is none, the point of the least noise."""
        return choose(self.found, self.quality - loss) or min(self.found, key=lambda one: (one.noise, one.cost))


def explore(
    task: Task,
    space: Space,
    costs: Costs,
    *,
    runner: Runner,
    trials: int,
    open_search: Callable[[str], optuna.Study],
) -> Outcome:
    """Measure uniform bits, then the points of the path, then the points that NSGA-II proposes from there.

    Parameters
    ----------
    task : Task
        What is measured.
    space : Space
        Legal bits.
    costs : Costs
        Cost of a point.
    runner : Runner
        Computes the evaluations, and keeps them.
    trials : int
        Points of the search by NSGA-II, with the points before it.
    open_search : callable
        Opens the Optuna study of a name, which has two objectives. Several processes may share it.
    """
    measure = _Measure(task, runner)
    found: dict[Point, Found] = {}

    def add(how: str, points: Sequence[Point]) -> None:
        new = [point for point in dict.fromkeys(points) if point not in found]
        for point, one in zip(new, measure(how.capitalize(), new), strict=True):
            found[point] = Found(point=point, cost=costs(point), how=how, **one)

    fp32 = measure("FP32", [None])[0]
    uniform = list(dict.fromkeys(space.uniform(a, b) for a in space.bits_a for b in space.bits_b))
    stored: list[Found] = []
    if task.tuning:
        runs = measure("Uniform, weights not tuned", uniform, tuned=False)
        stored = [
            Found(point=point, cost=costs(point), how="stored", **one) for point, one in zip(uniform, runs, strict=True)
        ]
    add("uniform", uniform)
    steps = single_steps(space)
    errors = measure.noise("Single steps", [space.replaced(space.most, *step) for step in steps])
    noise = tuned_noise(space, dict(zip(steps, errors, strict=True)), stored, found)
    add("path", spread(path(space, noise, costs), costs, TUNED_PATH if task.tuning else PATH))
    if steps and len(found) < trials:
        question = json.dumps([*measure.inputs, costs.kind, costs.packed, sorted(space.kept)])
        study = open_search(f"layer-precision {hashlib.sha256(question.encode()).hexdigest()[:32]}")
        _search(space, study, trials, found, add)
    return Outcome(quality=fp32["quality"], tested=fp32["tested"], found=tuple(found.values()), stored=tuple(stored))


def tuned_noise(
    space: Space, noise: Mapping[Step, float], stored: Sequence[Found], found: Mapping[Point, Found]
) -> dict[Step, float]:
    """Expected noise of single steps with tuned weights: tuning leaves the same share as of equal bits for all layers.

    Parameters
    ----------
    space : Space
        Legal bits.
    noise : mapping of (int, int) to float
        Noise of single steps with the weights of the file.
    stored : sequence of Found
        Equal bits with the weights of the file; none if no weights are tuned.
    found : mapping of point to Found
        The same points with tuned weights.
    """
    before = {one.point: one.noise for one in stored}
    points = {(0, a): space.uniform(a, space.bits_b[-1]) for a in space.bits_a}
    points |= {(1, b): space.uniform(space.bits_a[-1], b) for b in space.bits_b}
    share = {key: found[point].noise / before[point] for key, point in points.items() if before.get(point)}
    return {(place, bits): error * share.get((place % 2, bits), 1.0) for (place, bits), error in noise.items()}


class _Measure:
    """Evaluates points of a task by jobs."""

    def __init__(self, task: Task, runner: Runner):
        self.task, self.runner = attrs.asdict(task), runner
        code = code_hash(("lowtide_model", "lowtide_onnx", "lowtide_studies.layer_precision"), ("report", "command"))
        packages = (version(name) for name in ("lowtide", "numpy", "onnxruntime"))
        files = (task.digest, str(task.output), task.metric, task.config, str(task.batch), str(task.tuning))
        self.inputs = (code, *packages, *files)

    def __call__(self, label: str, points: Sequence[Point | None], *, tuned: bool = True) -> list[dict[str, float]]:
        """Quality and noise of points, or of FP32."""
        return self.runner.run(label, [self._job(evaluate, point, tuned) for point in points])

    def noise(self, label: str, points: Sequence[Point]) -> list[float]:
        """Noise of points, with the weights of the file."""
        return self.runner.run(label, [self._job(noise_of, point) for point in points])

    def _job(self, function: Callable[..., Any], point: Point | None, *more: bool) -> Job:
        return Job(
            name=_name(point),
            inputs=(*self.inputs, function.__name__, str(point), *map(str, more)),
            function=function,
            arguments=(self.task, point, *more),
        )


def _name(point: Point | None) -> str:
    """Name of a point in the progress."""
    if point is None:
        return "FP32"
    a, b = point[:2]
    return f"all {a} × {b}" if point == (a, b) * (len(point) // 2) else f"mean bits {mean(point):.2f}"


def _search(
    space: Space,
    study: optuna.Study,
    trials: int,
    found: dict[Point, Found],
    add: Callable[[str, Sequence[Point]], None],
) -> None:
    """Let NSGA-II propose points until the study has enough trials; it knows the points that are found already."""
    names = [f"{layer} {side}" for layer in space.layers for side in "ab"]
    legal = {name: space.legal(place) for place, name in enumerate(names)}
    choices: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(bits) for name, bits in legal.items() if len(bits) > 1
    }

    def point_of(parameters: dict[str, int]) -> Point:
        return tuple(parameters.get(name, bits[-1]) for name, bits in legal.items())

    def finished() -> list[Point]:
        known = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return [point_of(trial.params) for trial in known]

    if not study.trials:
        for point in list(found):
            study.enqueue_trial({name: bits for name, bits in zip(names, point, strict=True) if name in choices})
    while (left := trials - len(finished())) > 0:
        study.sampler = optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=len(study.trials))
        asked = [study.ask(choices) for _ in range(min(left, POPULATION))]
        points = [point_of(trial.params) for trial in asked]
        add("search", points)
        for trial, point in zip(asked, points, strict=True):
            study.tell(trial, [found[point].cost, found[point].noise])
    add("search", finished())  # also the points of other processes
