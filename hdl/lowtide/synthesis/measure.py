"""Measurement of several units on several targets."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs

from lowtide.cache import Cache
from lowtide.errors import SynthesisError
from lowtide.synthesis.chip import CHIPS, ChipArea, chip_area
from lowtide.synthesis.liberty import Library
from lowtide.synthesis.place import DEVICES, SEEDS, Timing, place
from lowtide.synthesis.yosys import Area, synthesize

__all__ = ["Design", "Row", "measure"]


@attrs.frozen
class Design:
    """Design to measure.

    Parameters
    ----------
    name : str
        Name in the report.
    verilog : str
        Text of the top module and of all modules below it.
    top : str
        Name of the top module.
    """

    name: str
    verilog: str
    top: str


@attrs.frozen
class Row:
    """Figures of one unit on one target.

    Parameters
    ----------
    unit : str
        Name of the unit.
    area : Area or ChipArea
        Cells of the unit.
    timing : Timing or None
        Speed of the unit; None if it was not requested, or the target has no place and route.
    """

    unit: str
    area: Area | ChipArea
    timing: Timing | None


def measure(
    units: Iterable[Design],
    targets: Sequence[str],
    *,
    fmax: bool = True,
    seeds: Sequence[int] = SEEDS,
    dsp: bool = False,
    library: Library | None = None,
    cache: Cache | None = None,
    progress: Callable[[str], None] | None = None,
) -> Iterator[Row]:
    """Yield rows as they complete: every target of the first unit, then of the next.

    Parameters
    ----------
    units : iterable of Design
        Designs to measure.
    targets : sequence of str
        FPGA families, ``cmos``, or ``liberty`` with a library.
    fmax : bool
        Whether to place and route, where the target supports it.
    seeds : sequence of int
        Placer seeds.
    dsp : bool
        Whether multipliers may become DSP blocks.
    library : Library, optional
        Cells of the target ``liberty``.
    cache : Cache, optional
        Cache of the results.
    progress : callable, optional
        Called with a description of the current step.

    Raises
    ------
    SynthesisError
        If `synthesize`, `chip_area` or `place` fails; the message names the unit and the target. If the target
        ``liberty`` has no library.
    """
    if "liberty" in targets and library is None:
        raise SynthesisError("target liberty needs a library")
    say = progress or (lambda words: None)
    for unit in units:
        for target in targets:
            here = f"{unit.name} on {target}"
            try:
                say(f"{here}: synthesis")
                if target in CHIPS:
                    cells = library if target == "liberty" else None
                    area = chip_area(unit.verilog, unit.top, cells, cache=cache)
                else:
                    area = synthesize(unit.verilog, unit.top, target, dsp=dsp, cache=cache)
                timing = None
                if fmax and target in DEVICES:
                    timing = place(
                        unit.verilog,
                        unit.top,
                        target,
                        seeds=seeds,
                        dsp=dsp,
                        cache=cache,
                        progress=lambda done, count, here=here: say(f"{here}: place and route, {done} of {count}"),
                    )
            except SynthesisError as error:
                raise SynthesisError(f"{here}: {error}") from None
            yield Row(unit.name, area, timing)
