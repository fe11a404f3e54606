"""``lowtide study layers``."""

from typing import Any

import click

from lowtide.cli.options import Number, Pairs, config_argument, set_option
from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, legal_text
from lowtide_model.layer_cost import Setting
from lowtide_studies.harness.options import StudyOptions, study_options, typed_option
from lowtide_studies.layers.networks import known_networks, load_network
from lowtide_studies.layers.report import plot, sentences, tables, title
from lowtide_studies.layers.study import default_bits, measure

__all__ = ["command"]

QUICK = ("mlp256", "transformer64")

EXAMPLES = """\b
Examples:
  lowtide study layers
  lowtide study layers ulx3s --network resnet20 --clock 80
  lowtide study layers --operands fp32 --set engine.input_width=8 --json
"""


@click.command("layers", epilog=EXAMPLES)
@config_argument
@set_option
@click.option(
    "--network",
    "sources",
    multiple=True,
    metavar="NAME|FILE",
    help="Network: name or TOML file. Repeatable.  [default: all in configs/layers]",
)
@click.option(
    "--bits",
    type=Pairs("bits", range(1, 65)),
    help="Magnitude bits of A and B.  [default: 2x2,4x4 and bfp.mantissa]",
)
@click.option(
    "--operands",
    type=click.Choice(["packed", "fp32"]),
    default="packed",
    show_default=True,
    help="Form of the operands on their streams.",
)
@typed_option(
    Number("bandwidth", 0, 1e6), None, "Bytes per cycle that all streams share; otherwise one beat per stream."
)
@typed_option(Number("clock", 0, 1e6), None, "Clock in MHz, for runs per second.")
@study_options("layers", quick=f"networks {' and '.join(QUICK)}")
def command(
    options: StudyOptions,
    config: str,
    changes: dict[str, Any],
    sources: tuple[str, ...],
    bits: tuple[tuple[int, int], ...] | None,
    operands: str,
    bandwidth: float | None,
    clock: float | None,
) -> None:
    """Measure cycles and bytes of real layers.

    The cycle model computes each layer of several networks on the engine of CONFIG, a preset or a .toml file. All
    products of a network follow each other, and streams do not pause. The table compares the cycles with the array's
    floor and names what limits the layer.
    """
    given = Config.load(config).changed(changes)
    given.check_bfp_engine()
    packed = operands == "packed"
    if packed and not given.engine.packed_operands:
        raise IllegalValue("operands", "fp32 for an engine without engine.packed_operands", operands)
    pairs = bits or default_bits(given)
    for pair in pairs:
        for of, chunk in zip(pair, (given.bfp.chunk_a, given.bfp.chunk_b), strict=True):
            legal = range(chunk, given.bfp.mantissa + 1, chunk)
            if of not in legal:
                raise IllegalValue("bits", f"{legal_text(list(legal))} (whole chunks up to bfp.mantissa)", of)
    names = QUICK if options.quick and not sources else sources or known_networks()
    networks = [load_network(name) for name in names]
    settings = [Setting(bits_a=a, bits_b=b, packed=packed, bandwidth=bandwidth) for a, b in pairs]
    found = measure(given, networks, settings, options.runner("layers"))
    if not options.as_json:
        click.echo(title(given, found))
    options.report(
        settings={"config": given.to_tables(), "operands": operands, "bandwidth": bandwidth, "clock_mhz": clock},
        rows=[one.to_json() for one in found],
        tables=tables(found, clock),
        sentences=sentences(found),
        draw=lambda file: plot(given, found, file),
    )
