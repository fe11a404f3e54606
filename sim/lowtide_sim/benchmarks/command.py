"""``lowtide bench``: speed of emission, the golden model and the compiled engine."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import click
from rich.console import Console
from rich.table import Table

from lowtide.cli.options import Whole, json_option, quiet_option
from lowtide.cli.progress import progress_steps
from lowtide.config import Config
from lowtide_sim.benchmarks import model as golden_speed
from lowtide_sim.benchmarks.engine import measure_engine

__all__ = ["Emission", "bench", "measure_emission"]

EXAMPLES = """\b
Examples:
  lowtide bench
  lowtide bench --repeats 9 --json
"""


@attrs.frozen
class Emission:
    """Median time of ``lowtide emit`` for one shape, as a whole process, and the size of its Verilog.

    Parameters
    ----------
    rows, columns : int
        Shape of the array, the rest as in the default preset.
    seconds : float
        Wall time from start to end.
    megabytes : float
        Size of the Verilog.
    """

    rows: int
    columns: int
    seconds: float
    megabytes: float


def measure_emission(rows: int, columns: int, repeats: int = 3) -> Emission:
    """Time ``lowtide emit`` for one shape."""
    shape = ["--set", f"array.rows={rows}", "--set", f"array.columns={columns}"]
    times = []
    with TemporaryDirectory() as folder:
        for _ in range(repeats):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", "from lowtide.cli import main; main()", "emit", *shape, "-o", folder],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            times.append(time.perf_counter() - start)
        size = Path(folder, "lowtide_array.v").stat().st_size
    return Emission(rows, columns, statistics.median(times), size / 1e6)


@click.command(epilog=EXAMPLES)
@click.option(
    "--repeats",
    type=Whole("repeats", range(1, 100)),
    default=3,
    show_default=True,
    help="Number of runs, whose median is reported.",
)
@json_option
@quiet_option
def bench(repeats: int, as_json: bool, quiet: bool) -> None:
    """Measure the speed of emission and of models.

    The tables compare the golden matrix product with NumPy's product in float64, and have the speed of conversions and
    the cycles per second of the compiled engine. Run the command on an idle machine.
    """
    emissions, golden, conversions, engines = [], {}, {}, []
    with progress_steps(quiet=quiet) as steps:
        for rows, columns in ((8, 8), (128, 128), (256, 64)):
            steps.begin(f"emission of {rows} × {columns}")
            emissions.append(measure_emission(rows, columns, repeats))
            steps.finish(f"emission of {rows} × {columns}")
        for name, options in {
            "4 × 4 bits": {},
            "4 × 4 bits, all exponents": {"every_code": True},
            "8 × 8 bits": {"mantissa": 8},
        }.items():
            steps.begin(f"golden product, {name}")
            golden[name] = golden_speed.measure(repeats=5 * repeats, **options)
            steps.finish(f"golden product, {name}")
        for name in golden_speed.CONVERSIONS:
            steps.begin(f"conversion, {name}")
            conversions[name] = {
                place: golden_speed.measure_conversion(name, axis=axis, repeats=5 * repeats)
                for place, axis in (("rows", 1), ("columns", 0))
            }
            steps.finish(f"conversion, {name}")
        for size in (4, 8):
            steps.begin(f"compiled engine of {size} × {size}")
            config = Config().changed({"array.rows": size, "array.columns": size})
            engines.append(measure_engine(config, Path("build/engines"), repeats))
            steps.finish(f"compiled engine of {size} × {size}")

    ratio = emissions[1].seconds / emissions[0].seconds
    if as_json:
        plain = {name: attrs.asdict(speed) | {"ratio": speed.ratio} for name, speed in golden.items()}
        rows = [attrs.asdict(emission) for emission in emissions]
        speeds = [attrs.asdict(engine) for engine in engines]
        found = {"emission": rows, "emission_128_over_8": ratio, "golden": plain}
        found |= {"conversion": conversions, "engine": speeds}
        click.echo(json.dumps(found, indent=2))
        return
    table = Table("emission", "seconds", "megabytes", title="lowtide emit, whole process", title_justify="left")
    for emission in emissions:
        table.add_row(f"{emission.rows} × {emission.columns}", f"{emission.seconds:.2f}", f"{emission.megabytes:.3f}")
    console = Console()
    console.print(table)
    console.print(f"128 × 128 over 8 × 8: {ratio:.2f}\n")
    table = Table("operands", "golden, s", "float64, s", "ratio", title="Product of 1024³", title_justify="left")
    for name, speed in golden.items():
        table.add_row(name, f"{speed.golden:.4f}", f"{speed.float64:.4f}", f"{speed.ratio:.2f}")
    console.print(table)
    title = "Conversion, million elements per second and core"
    table = Table("conversion", "groups in rows", "groups in columns", title=title, title_justify="left")
    for name, speeds in conversions.items():
        table.add_row(name, *(f"{speed:,.0f}" for speed in speeds.values()))
    console.print(table)
    table = Table("array", "cycles", "cycles/s", title="Compiled engine, 128³", title_justify="left")
    for engine in engines:
        table.add_row(f"{engine.rows} × {engine.columns}", f"{engine.cycles:,}", f"{engine.cycles_per_second:,.0f}")
    console.print(table)
