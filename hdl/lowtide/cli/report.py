"""``lowtide report``: area and speed, per unit and whole."""

import difflib
import json
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from lowtide.cli.emit import settings
from lowtide.cli.options import Whole
from lowtide.config import Config
from lowtide.emission.registry import UNITS, parameters_of
from lowtide.formats.parameter import value_text
from lowtide.synthesis import Cache, Design, Row, SynthesisError, measure, to_plain, to_table, versions
from lowtide.synthesis.parts import engine_parts_of, part_names, parts_of, serial_parts_of, unit_alone
from lowtide.synthesis.yosys import TARGETS, family

__all__ = ["report"]

CACHE = Path("build/cache")
EXAMPLES = """\b
Examples:
  lowtide report
  lowtide report tiny --target ecp5,ice40 --unit fmac
  lowtide report --set bfp.chunk_a=4 --unit fmac
  lowtide report --unit stochastic_rounder --set fraction=3 --set mode=carry
  lowtide report --top engine --target ecp5 --no-fmax
  lowtide report my.toml --no-fmax --json
"""


def split_targets(_ctx: click.Context, _option: click.Parameter, values: Sequence[str]) -> list[str]:
    """Targets of a repeatable option, each of which may be a list with commas; every target once."""
    targets = [target.strip() for value in values for target in value.split(",")]
    for target in targets:
        try:
            family(target)
        except SynthesisError as error:
            raise click.BadParameter(str(error)) from None
    return list(dict.fromkeys(targets)) or list(TARGETS)


@click.command(epilog=EXAMPLES)
@click.argument("config", default="default")
@click.option(
    "--target",
    "targets",
    multiple=True,
    callback=split_targets,
    metavar="TARGET,...",
    help=f"FPGA families, of {', '.join(TARGETS)}; all by default. Repeatable.",
)
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", callback=settings, help="Change a parameter. Repeatable."
)
@click.option(
    "--top",
    type=click.Choice(["array", "engine", "serial"]),
    default="array",
    show_default=True,
    help="The parts of the array, of the engine around it, or of its serial bridge.",
)
@click.option("--unit", "names", multiple=True, metavar="NAME", help="Only this unit. Repeatable.")
@click.option("--fmax/--no-fmax", default=True, show_default=True, help="Place and route too, where there is a tool.")
@click.option(
    "--seeds",
    type=Whole("seeds", range(1, 100)),
    default=5,
    show_default=True,
    help="Placements to take the median of.",
)
@click.option("--dsp/--no-dsp", default=False, show_default=True, help="Let multipliers become DSP blocks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_obj
def report(
    units_of: Callable[[Config], Sequence[Design]],
    config: str,
    targets: list[str],
    changes: dict[str, Any],
    top: str,
    names: tuple[str, ...],
    fmax: bool,
    seeds: int,
    dsp: bool,
    as_json: bool,
) -> None:
    """Report area and speed of CONFIG, per unit and whole.

    CONFIG is a preset's name or a TOML file. A unit that is no part of the array is measured by itself; so is any, if
    keys are given without a section. Figures are kept in build/cache and taken again only when the design or a tool
    changes.
    """
    base = Config.load(config)
    in_top = {"array": units_of, "engine": engine_parts_of, "serial": serial_parts_of}[top]
    by_themselves = [name for name in names if top == "array" and is_alone(name, base, changes)]
    parts = [name for name in names if name not in by_themselves]
    # All names and keys are checked before anything is built.
    for name in by_themselves:
        parameters_of(name, base, changes)
    whole = base.changed(changes) if parts or not names else None
    if whole is not None and in_top in (parts_of, engine_parts_of, serial_parts_of):
        check_parts(parts, part_names(whole, top))
    units = [unit_alone(name, base, changes) for name in by_themselves]
    units += chosen(in_top(whole), parts) if whole is not None else []
    rows = _measure_with_progress(units, targets, fmax=fmax, seeds=seeds, dsp=dsp)
    if as_json:
        click.echo(json.dumps(to_plain(rows, versions()), indent=2))
    else:
        # Piped, a table keeps its columns whole.
        Console(width=None if sys.stdout.isatty() else 160).print(to_table(rows, versions()))


def is_alone(name: str, config: Config, changes: dict[str, Any]) -> bool:
    """Whether a unit is not meant the way it stands in the array."""
    without_section = bool(changes) and not any("." in key for key in changes)
    return name in UNITS and (without_section or name != config.array.element)


def chosen(units: Sequence[Design], names: Sequence[str]) -> list[Design]:
    """The units of these names, in that order; all where no name is given."""
    known = {unit.name: unit for unit in units}
    if not known:
        raise SynthesisError("the configuration has no units to report")
    check_parts(names, known)
    return [known[name] for name in names or known]


def check_parts(names: Iterable[str], known: Collection[str]) -> None:
    """Refuse a name that no part has, and name those there are."""
    for name in names:
        if name not in known:
            legal = list(dict.fromkeys([*known, *UNITS]))
            close = difflib.get_close_matches(name, legal, n=1)
            nearest = f", did you mean {close[0]}?" if close else ""
            raise SynthesisError(f"no unit {value_text(name)}{nearest}; units: {', '.join(legal)}")


def _measure_with_progress(
    units: Sequence[Design], targets: Sequence[str], *, fmax: bool, seeds: int, dsp: bool
) -> list[Row]:
    """Measure, with a line on stderr that says what is going on, where stderr is a terminal."""
    console = Console(stderr=True)
    with console.status("starting") as status:
        rows = measure(
            units,
            targets,
            fmax=fmax,
            seeds=range(1, seeds + 1),
            dsp=dsp,
            cache=Cache(CACHE),
            progress=lambda words: status.update(Text(words)),
        )
        return list(rows)
