"""Cells of multiply-accumulate units, and of the other parts of an engine, from synthesis."""

from collections.abc import Sequence

from lowtide.config import Config
from lowtide.synthesis import Cache, Design, measure
from lowtide.synthesis.parts import engine_parts_of, unit_alone
from lowtide_studies.equal_area.study import BESIDE, CANDIDATES, Candidate, Cells
from lowtide_studies.harness.code_hash import synthesis_inputs
from lowtide_studies.harness.jobs import Job, Runner
from lowtide_studies.harness.options import CACHE

__all__ = ["measure_cells"]


def measure_cells(config: Config, targets: Sequence[str], runner: Runner | None = None) -> dict[str, dict[str, Cells]]:
    """Cells of each candidate without DSP blocks; block RAM is not counted.

    Parameters
    ----------
    config : Config
        The engine. Its parts beside the array are divided among the elements of the array.
    targets : sequence of str
        FPGA families.
    runner : Runner, optional
        Runs the synthesis.

    Returns
    -------
    dict of str to dict of str to Cells
        By the names of candidates and FPGA families.
    """
    candidates = {candidate.name: candidate for candidate in CANDIDATES}
    designs = {name: unit_alone(one.unit, config, one.changes) for name, one in candidates.items()}
    engines = {str(one.engine): one for one in candidates.values() if one.beside}
    for one in engines.values():
        parts = engine_parts_of(config.changed(one.engine))
        designs |= {_part(one, part.name): part for part in parts if part.name in BESIDE}
    inputs = synthesis_inputs()
    jobs = [
        Job(
            name=f"{design.name} on {target}",
            inputs=(*inputs, design.verilog, design.top, target),
            function=_cells,
            arguments=(design, target),
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
        for name, one in candidates.items()
    }


def _part(candidate: Candidate, part: str) -> str:
    """Name of a part of the engine that a candidate needs."""
    return f"{part} {candidate.engine}"


def _cells(design: Design, target: str) -> int:
    (row,) = measure([design], [target], fmax=False, cache=Cache(CACHE))
    return row.area.logic_cells
