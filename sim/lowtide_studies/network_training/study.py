"""Comparison of formats: trainings from equal seeds, and their time to equal quality at equal area."""

import functools
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide_studies.equal_area.cells import Cells
from lowtide_studies.harness.jobs import Job, Runner, code_hash
from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.network_training.data import Data, load_images, load_text
from lowtide_studies.network_training.formats import BASELINE
from lowtide_studies.network_training.run import DEPENDENT, REFERENCE, Run
from lowtide_studies.network_training.training import Evaluation, Trained, train
from lowtide_studies.network_training.units import UNITS, Unit

__all__ = [
    "CHECKPOINTS",
    "FORMS",
    "Comparison",
    "Cost",
    "compare",
    "data_of",
    "plain_cost",
    "trained_of",
    "training_code",
    "training_job",
]

CHECKPOINTS = Path("build/studies/network-training")

PRESENTATION = ("command", "report", "study")
"""Modules on which no training depends."""

USUAL = {key: getattr(Run(), key) for key in DEPENDENT}
"""Parameters of formats that do not depend on them, so that their trainings are found again with other parameters."""

FORMS = ("beats", "packed", "fp32")
"""Times of an engine: array that never waits; packed operands; FP32 operands."""

LOADS_LIKE = {"bf16": "int8"}
"""Formats of a unit without an engine, and the format whose engine would need no more time to load, and no more cells.

A bf16 number has twice the bits of an integer of 8 bits.
"""

ELEMENTS = Config().array.rows * Config().array.columns
"""Units of an engine."""


@attrs.frozen(kw_only=True)
class Cost:
    """Time of a unit to the target.

    Parameters
    ----------
    cycles : dict of str to float
        Cycles of 64 units by `FORMS`, means over the seeds that reach the target.
    epochs : float
        Mean epochs to the target.
    cells : Cells, optional
        Cells of a unit, and of the rest of the engine per unit.
    """

    format: str
    unit: Unit
    cycles: dict[str, float]
    epochs: float
    reached: int
    cells: Cells | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        """Times of the unit that differ."""
        return FORMS[:1] if self.unit.changes is None else FORMS

    def area_time(self, form: str) -> float:
        """Cells times cycles: of the units alone for beats, otherwise with the rest of the engine."""
        if self.cells is None or not self.reached:
            return float("nan")
        return ELEMENTS * self.cells.total(form != "beats") * self.cycles[form]


@attrs.frozen(kw_only=True, eq=False)
class Comparison:
    """Trainings of a network by format, seed by seed.

    Parameters
    ----------
    run : Run
        Run of the first format and seed.
    data : str
        Title of the data.
    outcomes : dict of str to list of Trained
    margin : float
        Distance of the target from the final quality of FP32 on validation data: points, or per cent of a perplexity.
    reference : str
        Format to whose first unit the costs of all units are relative.
    """

    run: Run
    data: str
    seeds: tuple[int, ...]
    outcomes: dict[str, list[Trained]]
    margin: float
    reference: str = REFERENCE

    def quality(self, form: str) -> Summary:
        """Quality on the test data."""
        return Summary.of([one.quality for one in self.outcomes[form]])

    def difference(self, form: str) -> Difference | None:
        """Quality on the test data minus the quality of FP32; None without FP32."""
        if BASELINE not in self.outcomes:
            return None
        return Difference.of(*([one.quality for one in self.outcomes[name]] for name in (form, BASELINE)))

    def beats_per_pair(self, form: str) -> float:
        """Chunks of A times chunks of B, mean over all products and seeds; NaN without an engine."""
        ends = [one.evaluations[-1].cycles for one in self.outcomes[form] if one.evaluations]
        first = [next(iter(cycles.values())) for cycles in ends if cycles]
        pairs = sum(cycles["pairs"] for cycles in first)
        return sum(cycles["beats"] for cycles in first) / pairs if pairs else float("nan")

    def improvements(self, form: str) -> dict[str, list[float]]:
        """Quantiles of the relative improvements at the first evaluation, by kinds: means over the seeds."""
        firsts = [one.evaluations[0].improvements for one in self.outcomes[form] if one.evaluations]
        return {kind: np.mean([one[kind] for one in firsts], axis=0).tolist() for kind in (firsts or [{}])[0]}

    @property
    def target(self) -> float | None:
        """Quality to reach; None without a finite training in FP32."""
        last = [one.evaluations[-1].quality for one in self.outcomes.get(BASELINE, []) if one.finite]
        if not last:
            return None
        mean = float(np.mean(last))
        return mean * (1 + self.margin / 100) if self.run.text else mean - self.margin

    def first(self, trained: Trained) -> Evaluation | None:
        """First evaluation that reaches the target."""
        target, sign = self.target, -1 if self.run.text else 1
        if target is None:
            return None
        return next((one for one in trained.evaluations if sign * one.quality >= sign * target), None)

    def costs(self, cells: Mapping[str, Cells]) -> list[Cost]:
        """Costs of all units of the compared formats; the first is the reference, if it was compared."""
        rows = []
        for form, outcomes in self.outcomes.items():
            found = [one for one in map(self.first, outcomes) if one is not None]
            rows += [_cost(form, unit, found, found, cells.get(unit.name)) for unit in UNITS[form]]
            if LOADS_LIKE.get(form) in self.outcomes:
                rows.append(self._with_engine(form, LOADS_LIKE[form], cells))
        return sorted(rows, key=lambda row: row.format != self.reference)

    def _with_engine(self, form: str, other: str, cells: Mapping[str, Cells]) -> Cost:
        """Cost of the unit of a format in the engine of another format: its loading time and its other parts.

        All formats have equal products in an epoch: the cycles are the other format's after equal epochs.
        """
        own, engine = UNITS[form][0], UNITS[other][0]
        found, loading = [], []
        for one, its in zip(self.outcomes[form], self.outcomes[other], strict=True):
            first = self.first(one)
            equal = [end for end in its.evaluations if first is not None and end.epoch == first.epoch]
            if first is not None and equal:
                found.append(first)
                loading += equal
        area = None
        if own.name in cells and engine.name in cells:
            area = Cells(unit=cells[own.name].unit, beside=cells[engine.name].beside)
        unit = attrs.evolve(engine, name=f"{own.name}, loading as {other}")
        cost = _cost(form, engine, found, loading, area)
        return attrs.evolve(cost, unit=unit)

    def to_json(self) -> list[dict[str, Any]]:
        """Plain values, one row per training."""
        names = {"network": self.run.network, "data": self.data, "target": self.target}
        return [
            names | {"format": form, "seed": seed} | attrs.asdict(trained)
            for form, outcomes in self.outcomes.items()
            for seed, trained in zip(self.seeds, outcomes, strict=True)
        ]


def _cost(
    form: str, unit: Unit, found: Sequence[Evaluation], loading: Sequence[Evaluation], cells: Cells | None
) -> Cost:
    """Cost of a unit that reaches the target at these evaluations, with the cycles of others after equal epochs."""
    cycles = [_cycles(one, unit) for one in loading]
    return Cost(
        format=form,
        unit=unit,
        cycles={key: float(np.mean([one[key] for one in cycles] or np.nan)) for key in FORMS},
        epochs=float(np.mean([one.epoch for one in found] or np.nan)),
        reached=len(found),
        cells=cells,
    )


def plain_cost(found: Comparison, row: Cost) -> dict[str, Any]:
    """Plain values of a cost in a comparison."""
    return {
        "network": found.run.network,
        "format": row.format,
        "unit": row.unit.name,
        "epochs": row.epochs,
        "cycles": row.cycles,
        "cells": None if row.cells is None else attrs.asdict(row.cells),
        "area_time": {form: row.area_time(form) for form in FORMS},
        "reached": row.reached,
    }


def _cycles(evaluation: Evaluation, unit: Unit) -> Mapping[str, float]:
    """Cycles of 64 units by `FORMS`; a unit without an engine multiplies two numbers per cycle, and never waits."""
    return evaluation.cycles.get(unit.name) or dict.fromkeys(FORMS, evaluation.macs / ELEMENTS)


def compare(
    runs: Sequence[Run],
    formats: Sequence[str],
    seeds: Sequence[int],
    *,
    images: str,
    text: str,
    margin: float,
    reference: str = REFERENCE,
    runner: Runner | None = None,
    checkpoints: Path = CHECKPOINTS,
) -> list[Comparison]:
    """Train networks in all formats from all seeds; format and seed of the runs do not matter.

    Parameters
    ----------
    runs : sequence of Run
        A run per network.
    formats : sequence of str
        Names of formats.
    seeds : sequence of int
        Seeds of the trainings.
    images, text : str
        Sources of `load_images` and `load_text`.
    margin, reference
        Margin and reference of `Comparison`.
    runner : Runner, optional
        Runs the trainings and keeps their results.
    checkpoints : Path
        Folder of the checkpoints of trainings that are not finished.
    """
    data_of.cache_clear()
    jobs, titles = [], {}
    for run in runs:
        source = text if run.text else images
        data = data_of(run.text, source)
        titles[run.network] = data.title
        for seed in seeds:
            for form in formats:
                others = {key: value for key, value in USUAL.items() if form not in DEPENDENT[key]}
                own = attrs.evolve(run, format=form, seed=seed, **others)
                jobs.append(training_job(f"{run.network}, {form}, seed {seed}", own, source, data, checkpoints))
    results = iter((runner or Runner()).run("Training", jobs))
    found = []
    for run in runs:
        outcomes: dict[str, list[Trained]] = {form: [] for form in formats}
        for _ in seeds:
            for form in formats:
                outcomes[form].append(trained_of(next(results)))
        first = attrs.evolve(run, format=formats[0], seed=seeds[0])
        found.append(
            Comparison(
                run=first,
                data=titles[run.network],
                seeds=tuple(seeds),
                outcomes=outcomes,
                margin=margin,
                reference=reference,
            )
        )
    return found


def training_code() -> str:
    """Hash of the code on which trainings depend."""
    return code_hash(("lowtide", "lowtide_model", "lowtide_torch", "lowtide_studies.network_training"), PRESENTATION)


def training_job(name: str, run: Run, source: str, data: Data, checkpoints: Path) -> Job:
    """Job of a training on the data of a source, with a checkpoint until the training is finished."""
    inputs = (training_code(), version("torch"), version("numpy"), data.sha256, json.dumps(attrs.asdict(run)))
    job = Job(name=name, inputs=inputs, function=_train)
    return attrs.evolve(job, arguments=(run, source, checkpoints / f"{job.key}.pt"))


@functools.lru_cache(maxsize=3)
def data_of(text: bool, source: str) -> Data:
    """Data of a source, loaded once."""
    return load_text(source) if text else load_images(source)


def _train(run: Run, source: str, checkpoint: Path) -> dict[str, Any]:
    """Train, and remove the checkpoint; a quality that is not a number is None."""
    trained = train(run, data_of(run.text, source), checkpoint)
    checkpoint.unlink(missing_ok=True)
    return attrs.asdict(trained) | {"quality": trained.quality if trained.finite else None}


def trained_of(plain: dict[str, Any]) -> Trained:
    """The training of the result of a `training_job`."""
    quality = float("nan") if plain["quality"] is None else plain["quality"]
    evaluations = [Evaluation(**one) for one in plain["evaluations"]]
    return Trained(evaluations=evaluations, quality=quality, sha256=plain["sha256"])
