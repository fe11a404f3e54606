"""Area times time of elements and of whole engines: of terms at a selected setting, and of plain integers."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from lowtide.config import Config
from lowtide.synthesis import Cache, Design, synthesize
from lowtide.synthesis.parts import engine_parts_of
from lowtide_model.engine.cycles import CycleModel, Shape, Work
from lowtide_model.engine.passes import split
from lowtide_model.engine.reveal import Reveal
from lowtide_studies.harness.jobs import Job, Runner, synthesis_inputs
from lowtide_studies.harness.options import CACHE
from lowtide_studies.term_revealing.area_time import Measured, measure
from lowtide_studies.term_revealing.revealed import Setting

__all__ = ["INTEGERS", "EngineCost", "Product", "cycles_of", "element_costs", "engine_costs", "terms_engine"]

INTEGERS = Config().changed({"array.element": "pmac"})
"""Engine of plain integers, with Booth multipliers."""

Product = tuple[int, int, int]
"""M, K and N of a product of data (M × K) and weights (K × N)."""


@attrs.frozen(kw_only=True)
class EngineCost:
    """Cells of an engine of plain integers and of an engine of terms, and cycles of both.

    Cells are logic cells as in `lowtide report`, with the look-up tables of RAM and shift registers.
    """

    network: str
    setting: Setting
    integer_cells: int
    term_cells: int
    integer_cycles: int
    term_cycles: int

    @property
    def speed(self) -> float:
        """Cells times cycles of plain integers, relative to terms."""
        return self.integer_cells * self.integer_cycles / (self.term_cells * self.term_cycles)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return attrs.asdict(self) | {"speed": self.speed}


def terms_engine(settings: Sequence[Setting], width: int) -> Config:
    """The smallest engine with the default array that has all settings, of one encoding, for its products."""
    return Config().changed(
        {
            "array.element": "tmac",
            "array.operands": "integers",
            "terms.width": width,
            "terms.encoding": settings[0].encoding,
            "terms.group": max(setting.group for setting in settings),
            "terms.budget": max(setting.budget for setting in settings),
            "terms.data_terms": max(setting.data_terms for setting in settings),
        }
    )


def cycles_of(config: Config, product: Product, reveal: Reveal | None = None) -> int:
    """Cycles of a product after an equal product, with loading; operands arrive as packed integers."""
    m, k, n = product
    group = None if reveal is None else reveal.group
    works = []
    for part in split(config, m=m, k=k, n=n, chunks_a=1, chunks_b=1, group=group):
        rows, length, columns = part.shape
        a, b = (Shape(lines=lines, length=length, chunks=1, packed=True) for lines in (rows, columns))
        works.append(
            Work(a=a, b=b, load_a=part.load_a, load_b=part.load_b, add=part.add, keep=part.keep, reveal=reveal)
        )
    ends = CycleModel(config).ends(works * 2)
    return ends[-1] - ends[-1 - len(works)]


def element_costs(
    chosen: Mapping[str, Setting], *, width: int, target: str, runner: Runner | None = None
) -> list[Measured]:
    """Cells of the elements of `lowtide_studies.term_revealing.area_time` for the selected setting of each network."""
    cells = measure([(setting, width) for setting in chosen.values()], target=target, runner=runner)
    return [
        Measured(network=network, width=width, setting=setting, target=target, cells=its)
        for (network, setting), its in zip(chosen.items(), cells, strict=True)
    ]


def engine_costs(
    chosen: Mapping[str, Setting],
    shapes: Mapping[str, Sequence[Product]],
    *,
    width: int,
    target: str,
    runner: Runner | None = None,
) -> list[EngineCost]:
    """Costs of the selected setting of each network, given its products; an engine of terms per encoding."""
    by_encoding: dict[str, list[Setting]] = {}
    for setting in chosen.values():
        by_encoding.setdefault(setting.encoding, []).append(setting)
    if not chosen:
        return []
    integers = INTEGERS.changed({"terms.width": width})
    engines = {encoding: terms_engine(settings, width) for encoding, settings in by_encoding.items()}
    cells = _measured([integers, *engines.values()], target, runner)
    rows = []
    for network, setting in chosen.items():
        engine = engines[setting.encoding]
        reveal = Reveal(group=setting.group, budget=setting.budget, data_terms=setting.data_terms)
        rows.append(
            EngineCost(
                network=network,
                setting=setting,
                integer_cells=cells[0],
                term_cells=cells[1 + list(engines).index(setting.encoding)],
                integer_cycles=sum(cycles_of(integers, product) for product in shapes[network]),
                term_cycles=sum(cycles_of(engine, product, reveal) for product in shapes[network]),
            )
        )
    return rows


def _measured(configs: Sequence[Config], target: str, runner: Runner | None) -> list[int]:
    inputs = synthesis_inputs()
    jobs = []
    for config in configs:
        design = next(part for part in engine_parts_of(config) if part.name == "engine")
        jobs.append(
            Job(
                name=f"engine of {config.array.element} on {target}",
                inputs=(*inputs, design.verilog, design.top, target),
                function=_cells,
                arguments=(design, target),
            )
        )
    return (runner or Runner()).run("Synthesis of engines", jobs)


def _cells(design: Design, target: str) -> int:
    return synthesize(design.verilog, design.top, target, cache=Cache(CACHE)).with_memory
