"""Multiply-accumulate units that are compared, and their cells and the cells of other parts of an engine."""

from collections.abc import Sequence
from typing import Any

import attrs

from lowtide.config import Config
from lowtide.synthesis import Cache, Design, Library, measure
from lowtide.synthesis.parts import engine_parts_of, unit_alone
from lowtide_studies.harness.jobs import Job, Runner, synthesis_inputs
from lowtide_studies.harness.options import CACHE

__all__ = ["BESIDE", "CANDIDATES", "REFERENCE", "Candidate", "Cells", "measure_cells"]

REFERENCE = "adaptive"

BESIDE = {"loader": 2, "operand_buffer": 2, "dispatcher": 1, "sequencer": 1, "results": 1, "registers": 1}
"""Parts of an engine beside its array, named as in `lowtide.synthesis.parts.engine_parts_of`, with their numbers."""

WITHOUT_NORMALIZERS = tuple(part for part in BESIDE if part != "results")

ONE_CHUNK = {"bfp.chunk_a": 4, "bfp.chunk_b": 4}
INTEGERS = {"array.element": "pmac", "terms.max_k": 2**17}


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
    Candidate(
        schedule="int8",
        name="pmac, 32-bit sums",
        unit="pmac",
        changes={"max_k": 2**17},
        cycle="numbers",
        beside=tuple(BESIDE),
        engine=INTEGERS,
    ),
    _of_floats("hfp8", "fp16", "HFP8, FP16 sums"),
    _of_floats("bf16", "fp32", "bf16, FP32 sums"),
    _of_floats("fp32", "fp32", "FP32"),
)
"""Assumption: floating-point formats of fewer bits train in as many steps as FP32."""


@attrs.frozen(kw_only=True)
class Cells:
    """Cells of a unit for one target, as `lowtide report` counts them, and of the rest of the engine per unit.

    On a chip, transistors or gate equivalents take the place of cells.
    """

    unit: float
    beside: float = 0.0

    def total(self, beside: bool) -> float:
        """Cells of the unit, with or without the other parts of the engine."""
        return self.unit + self.beside if beside else self.unit


def measure_cells(
    config: Config,
    targets: Sequence[str],
    runner: Runner | None = None,
    library: Library | None = None,
    candidates: Sequence[Candidate] = CANDIDATES,
) -> dict[str, dict[str, Cells]]:
    """Cells by the names of candidates and targets, without DSP blocks, block RAM and memories of a chip.

    The parts of the engine beside its array are divided among the elements of the array.
    """
    named = {candidate.name: candidate for candidate in candidates}
    designs = {name: unit_alone(one.unit, config, one.changes) for name, one in named.items()}
    engines = {str(one.engine): one for one in named.values() if one.beside}
    for one in engines.values():
        parts = engine_parts_of(config.changed(one.engine))
        designs |= {_part(one, part.name): part for part in parts if part.name in BESIDE}
    inputs = synthesis_inputs()
    jobs = [
        Job(
            name=f"{design.name} on {target}",
            inputs=(*inputs, design.verilog, design.top, target, library.text if library else ""),
            function=_cells,
            arguments=(design, target, library),
        )
        for design in designs.values()
        for target in targets
    ]
    results = iter((runner or Runner()).run("Synthesis", jobs))
    cells = {name: {target: next(results) for target in targets} for name in designs}

    def share(one: Candidate, target: str) -> float:
        """Cells beside one element of the array."""
        total = sum(BESIDE[part] * cells[_part(one, part)][target] for part in one.beside)
        return total / (config.array.rows * config.array.columns)

    return {
        name: {target: Cells(unit=cells[name][target], beside=share(one, target)) for target in targets}
        for name, one in named.items()
    }


def _part(candidate: Candidate, part: str) -> str:
    """Name of a part of the engine that a candidate needs."""
    return f"{part} {candidate.engine}"


def _cells(design: Design, target: str, library: Library | None) -> float:
    (row,) = measure([design], [target], fmax=False, library=library, cache=Cache(CACHE))
    return row.area.size
