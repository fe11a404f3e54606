"""``lowtide report``: area and clock frequency, per unit and in total."""

import difflib
import json
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from lowtide.cli.options import Whole, config_argument, json_option, quiet_option, set_option
from lowtide.cli.progress import progress_steps
from lowtide.config import Config, ConfigError
from lowtide.emission.registry import UNITS, parameters_of
from lowtide.formats.parameter import value_text
from lowtide.paths import read_text
from lowtide.synthesis import (
    Cache,
    Design,
    Library,
    Row,
    SynthesisError,
    measure,
    read_library,
    to_plain,
    to_table,
    versions,
)
from lowtide.synthesis.parts import engine_parts_of, part_names, parts_of, serial_parts_of, unit_alone
from lowtide.synthesis.yosys import TARGETS

__all__ = ["liberty_option", "report", "split_targets", "with_library"]

CACHE = Path("build/cache")
MOST_BYTES = 2**28
"""Most bytes of a Liberty file."""
EXAMPLES = """\b
Examples:
  lowtide report
  lowtide report tiny --target ecp5,ice40 --unit fmac
  lowtide report --set bfp.chunk_a=4 --unit fmac
  lowtide report --unit stochastic_rounder --set fraction=3 --set mode=carry
  lowtide report --top engine --target ecp5 --no-fmax
  lowtide report --unit fmac --target cmos
  lowtide report --unit fmac --liberty cells.lib
  lowtide report my.toml --no-fmax --json
"""


def split_targets(_ctx: click.Context, _option: click.Parameter, values: Sequence[str]) -> list[str]:
    """FPGA families of a repeatable option whose values may be lists with commas; each family once."""
    targets = [target.strip() for value in values for target in value.split(",")]
    for target in targets:
        if target not in (*TARGETS, "cmos"):
            raise click.BadParameter(f"target must be one of {', '.join(TARGETS)}, cmos, not {value_text(target)}")
    return list(dict.fromkeys(targets)) or list(TARGETS)


def library_of(_ctx: click.Context, _option: click.Parameter, file: str | None) -> Library | None:
    """Library of a Liberty file, checked before anything is measured."""
    return None if file is None else read_library(read_text(Path(file), MOST_BYTES), file)


def with_library(targets: list[str], library: Library | None) -> list[str]:
    """Targets, and the library; the library alone if the command line names no targets."""
    if library is None:
        return targets
    named = click.get_current_context().get_parameter_source("targets") is ParameterSource.COMMANDLINE
    return [*(targets if named else ()), "liberty"]


liberty_option = click.option(
    "--liberty",
    "library",
    callback=library_of,
    metavar="FILE",
    help="Liberty file: area on a chip, in the cells of this library.",
)
"""--liberty: library of cells as an additional target."""


@click.command(epilog=EXAMPLES)
@config_argument
@set_option
@click.option(
    "--target",
    "targets",
    multiple=True,
    callback=split_targets,
    metavar="TARGET,...",
    help=f"FPGA families {', '.join(TARGETS)}, or cmos for transistors. Repeatable.  [default: all families]",
)
@liberty_option
@click.option(
    "--top",
    type=click.Choice(["array", "engine", "serial"]),
    default="array",
    show_default=True,
    help="Top module whose units are reported.",
)
@click.option("--unit", "names", multiple=True, metavar="NAME", help="Unit to report. Repeatable.  [default: all]")
@click.option("--fmax/--no-fmax", default=True, show_default=True, help="Place and route for the clock frequency.")
@click.option(
    "--seeds",
    type=Whole("seeds", range(1, 100)),
    default=5,
    show_default=True,
    help="Number of placer seeds, whose median is reported.",
)
@click.option("--dsp/--no-dsp", default=False, show_default=True, help="Multipliers in DSP blocks.")
@json_option
@quiet_option
@click.pass_obj
def report(
    units_of: Callable[[Config], Sequence[Design]] | None,
    config: str,
    changes: dict[str, Any],
    targets: list[str],
    library: Library | None,
    top: str,
    names: tuple[str, ...],
    fmax: bool,
    seeds: int,
    dsp: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Report area and clock frequency.

    CONFIG is a preset or a TOML file. The report has each unit and the total. A unit that is not part of the array is
    measured alone, and so is any unit whose keys are given without a section. Figures are cached in build/cache and
    measured again only if the design or a tool changes.
    """
    base = Config.load(config)
    in_top = {"array": units_of or parts_of, "engine": engine_parts_of, "serial": serial_parts_of}[top]
    by_themselves = [name for name in names if top == "array" and is_alone(name, base, changes)]
    parts = [name for name in names if name not in by_themselves]
    # All names and keys are checked before the first unit is built.
    alone = [parameters_of(name, base, changes) for name in by_themselves]
    whole = base.changed(changes) if parts or not names else None
    check_family([*alone, *([] if whole is None else [whole.bfp])], targets, dsp=dsp)
    if whole is not None and in_top in (parts_of, engine_parts_of, serial_parts_of):
        check_parts(parts, part_names(whole, top), top)
    units = [unit_alone(name, base, changes) for name in by_themselves]
    units += chosen(in_top(whole), parts, top) if whole is not None else []
    options = {"fmax": fmax, "seeds": range(1, seeds + 1), "dsp": dsp, "library": library, "cache": Cache(CACHE)}
    rows = _measure_with_progress(units, with_library(targets, library), quiet=quiet, **options)
    if as_json:
        click.echo(json.dumps(to_plain(rows, versions()), indent=2))
    else:
        # Piped, a table keeps its columns whole.
        Console(width=None if sys.stdout.isatty() else 160).print(to_table(rows, versions()))


def check_family(parameters: Iterable[Any], targets: Iterable[str], *, dsp: bool) -> None:
    """Refuse an aligner in a DSP block of an ECP5 for any other target, and without DSP blocks."""
    if all(getattr(one, "aligner", "logic") == "logic" for one in parameters):
        return
    for target in targets:
        if target != "ecp5":
            raise ConfigError(f"bfp.aligner must be logic for the target {target}, not 'ecp5'")
    if not dsp:
        raise ConfigError("bfp.aligner must be logic without --dsp, not 'ecp5'")


def is_alone(name: str, config: Config, changes: dict[str, Any]) -> bool:
    """Whether a unit is measured alone, not as part of the array."""
    without_section = bool(changes) and not any("." in key for key in changes)
    return name in UNITS and (without_section or name != config.array.element)


def chosen(units: Sequence[Design], names: Sequence[str], top: str) -> list[Design]:
    """The units of a top module with these names, in the order of the names; all units without names."""
    known = {unit.name: unit for unit in units}
    if not known:
        raise SynthesisError("the configuration has no units to report")
    check_parts(names, known, top)
    return [known[name] for name in names or known]


def check_parts(names: Iterable[str], known: Collection[str], top: str) -> None:
    """Refuse a name that no part of a top module has; the error lists the legal names.

    Any other unit is measured alone, but only with the array: an engine's parts may have the names of units.
    """
    for name in names:
        if name not in known:
            legal = list(dict.fromkeys([*known, *UNITS])) if top == "array" else list(known)
            where = "" if top == "array" else f" with --top {top}"
            close = difflib.get_close_matches(name, legal, n=1)
            nearest = f", did you mean {close[0]}?" if close else ""
            raise SynthesisError(f"no unit {value_text(name)}{where}{nearest}; units: {', '.join(legal)}")


def _measure_with_progress(
    units: Sequence[Design], targets: Sequence[str], *, quiet: bool, **options: Any
) -> list[Row]:
    """Measure, and report the progress on stderr."""
    found = []
    with progress_steps(quiet=quiet) as steps:
        for row in measure(units, targets, **options, progress=steps.begin):
            found.append(row)
            steps.finish(f"{row.unit} on {row.area.target}: {len(found)} of {len(units) * len(targets)}")
    return found
