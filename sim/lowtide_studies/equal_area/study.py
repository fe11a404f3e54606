"""Training at equal area: cells of a multiply-accumulate unit times its cycles until training reaches an accuracy."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from lowtide.formats.parameter import IllegalValue
from lowtide_studies.engine_training.multiplications import multiplications
from lowtide_studies.precision_schedules.study import Comparison, Outcome

__all__ = ["BESIDE", "CANDIDATES", "REFERENCE", "Candidate", "Cells", "Cost", "check_reference", "costs"]

REFERENCE = "adaptive"

BESIDE = {"loader": 2, "operand_buffer": 2, "dispatcher": 1, "sequencer": 1, "results": 1, "registers": 1}
"""Parts of an engine beside its array, named as in `lowtide.synthesis.parts.engine_parts_of`, with their numbers."""

WITHOUT_NORMALIZERS = tuple(part for part in BESIDE if part != "results")

ONE_CHUNK = {"bfp.chunk_a": 4, "bfp.chunk_b": 4}


@attrs.frozen(kw_only=True)
class Candidate:
    """A unit and its schedule.

    Parameters
    ----------
    schedule : str
        One of `lowtide_studies.engine_training.run.PRECISIONS`, which gives the steps.
    name : str
        Name of the unit in tables.
    unit : str
        Its name in `lowtide.emission.registry.UNITS`.
    changes : dict
        Parameters that differ from the parameters of the engine's array.
    cycle : str
        Work per cycle: a pair of ``chunks``, of ``groups`` or of ``numbers``.
    beside : tuple of str
        Parts of `BESIDE` that the unit needs.
    engine : dict
        Configuration keys of the engine with these parts.
    """

    schedule: str
    name: str
    unit: str
    changes: dict[str, Any] = attrs.field(factory=dict)
    cycle: str
    beside: tuple[str, ...] = ()
    engine: dict[str, Any] = attrs.field(factory=dict)


def _of_chunks(schedule: str) -> Candidate:
    return Candidate(schedule=schedule, name="fmac, 2 × 2 bits", unit="fmac", cycle="chunks", beside=tuple(BESIDE))


def _of_floats(operand: str, form: str, name: str) -> Candidate:
    changes = {"operand": operand, "sum": form}
    return Candidate(schedule="fp32", name=f"float_mac, {name}", unit="float_mac", changes=changes, cycle="numbers")


CANDIDATES = (
    *map(_of_chunks, (REFERENCE, "low-then-high", "fixed-2", "two-sided", "fixed-4")),
    Candidate(
        schedule="fixed-4",
        name="fmac, 4 × 4 bits",
        unit="fmac",
        changes={"chunk_a": 4, "chunk_b": 4},
        cycle="groups",
        beside=tuple(BESIDE),
        engine=ONE_CHUNK,
    ),
    Candidate(
        schedule="msfp12",
        name="block_float_mac, FP32 sums",
        unit="block_float_mac",
        cycle="groups",
        beside=WITHOUT_NORMALIZERS,
        engine=ONE_CHUNK,
    ),
    Candidate(schedule="int8", name="pmac, 32-bit sums", unit="pmac", changes={"max_k": 2**17}, cycle="numbers"),
    _of_floats("hfp8", "fp16", "HFP8, FP16 sums"),
    _of_floats("bf16", "fp32", "bf16, FP32 sums"),
    _of_floats("fp32", "fp32", "FP32"),
)
"""Assumption: floating-point formats of fewer bits train in as many steps as FP32."""


@attrs.frozen(kw_only=True)
class Cells:
    """Area for one FPGA family, in its cells as `lowtide report` counts them.

    Parameters
    ----------
    unit : int
        Cells of the unit.
    beside : float
        Cells of the other parts of the engine, per unit.
    """

    unit: int
    beside: float = 0.0

    def total(self, beside: bool) -> float:
        """Cells of the unit, with or without the other parts of the engine."""
        return self.unit + self.beside if beside else self.unit


@attrs.frozen(kw_only=True)
class Cost:
    """Cost of training to an accuracy.

    Parameters
    ----------
    candidate : Candidate
    cells : dict of str to Cells
        By FPGA family.
    cycles : float
        Cycles of one unit, mean over the seeds that reach the accuracy; NaN if no seed reaches it.
    reached, seeds : int
        Number of seeds that reach the accuracy, and of all seeds.
    """

    candidate: Candidate
    cells: Mapping[str, Cells]
    cycles: float
    reached: int
    seeds: int

    def area_time(self, target: str, *, beside: bool) -> float:
        """Cells times cycles."""
        return self.cells[target].total(beside) * self.cycles

    def times(self, reference: "Cost", target: str, *, beside: bool) -> float:
        """Time relative to a reference, at equal area and equal clocks, with all units busy."""
        return self.area_time(target, beside=beside) / reference.area_time(target, beside=beside)


def check_reference(found: Comparison, accuracy: float) -> None:
    """Raise `IllegalValue` for schedules without the reference, and for an accuracy that no seed of it reaches."""
    if REFERENCE not in found.outcomes:
        raise IllegalValue("schedules", f"a list with {REFERENCE}", ", ".join(found.outcomes))
    _, reached = found.reached(REFERENCE, lambda outcome: outcome.steps_to(accuracy))
    if not reached:
        raise IllegalValue("accuracy", f"one that {REFERENCE} reaches", f"{100 * accuracy:g} %")


def costs(found: Comparison, cells: Mapping[str, Mapping[str, Cells]], accuracy: float) -> list[Cost]:
    """Costs of all candidates whose schedules were compared; the first is the reference.

    Parameters
    ----------
    found : Comparison
        Trained schedules that `check_reference` accepts.
    cells : mapping of str to mapping of str to Cells
        By the names of candidates and FPGA families.
    accuracy : float
        Accuracy to reach, from 0 to 1.
    """
    rows = []
    for candidate in CANDIDATES:
        if candidate.schedule in found.outcomes:
            cycles, reached = found.reached(candidate.schedule, _cycles_to(candidate, found, accuracy))
            its = cells[candidate.name]
            rows.append(Cost(candidate=candidate, cells=its, cycles=cycles, reached=reached, seeds=len(found.seeds)))
    return rows


def _cycles_to(candidate: Candidate, found: Comparison, accuracy: float) -> Callable[[Outcome], int | None]:
    """Function that counts the cycles of a candidate in an outcome."""
    groups = found.outcomes[REFERENCE][0].pairs  # equal for all schedules and seeds

    def cycles(outcome: Outcome) -> int | None:
        steps = outcome.steps_to(accuracy)
        if steps is None:
            return None
        if candidate.cycle == "chunks":
            return sum(outcome.beats[:steps])
        if candidate.cycle == "groups":
            return sum(groups[:steps])
        return multiplications(found.runs[candidate.schedule], steps)

    return cycles
