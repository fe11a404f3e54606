"""``lowtide sim``: a network on the simulated array."""

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from lowtide.cli.emit import settings
from lowtide.cli.options import Whole, output_option
from lowtide.config import Config, ConfigError
from lowtide.errors import CommandError
from lowtide.paths import check_output_file
from lowtide_sim.simulated_array import SimulatedArray
from lowtide_sim.simulator import SIMULATORS, SimulationError, SimulatorMissing, check_installed
from lowtide_studies.harness.tables import print_tables
from lowtide_studies.networks.digits import HELD_OUT
from lowtide_studies.workload.report import configuration_text, plot, tables
from lowtide_studies.workload.run import Workload, check_config

__all__ = ["command"]

# For a slow simulator, or with waveforms, with which all images would take too long.
FEW = 8

EXAMPLES = """\b
Examples:
  lowtide sim
  lowtide sim --set bfp.chunk_a=4 --set bfp.chunk_b=4
  lowtide sim my.toml --images 24 -o build/mine
  lowtide sim tiny --simulator icarus --waves
"""


@click.command("sim", epilog=EXAMPLES)
@click.argument("config", default="default")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    callback=settings,
    help="Parameter of the configuration. Repeatable.",
)
@click.option(
    "--simulator", type=click.Choice(list(SIMULATORS)), default="verilator", show_default=True, help="Simulator."
)
@click.option(
    "--images",
    type=Whole("images", range(1, HELD_OUT + 1)),
    help=f"Number of images, without the large product.  [default: all {HELD_OUT}; {FEW} with Icarus or --waves]",
)
@click.option("--waves", is_flag=True, help="Waveforms of the last layer of the network.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
@output_option("build/sim", "Folder of results, plot, Verilog and logs.")
def command(
    config: str, changes: dict[str, Any], simulator: str, images: int | None, waves: bool, as_json: bool, output: Path
) -> None:
    """Run a network on the simulated array.

    A small network learns scikit-learn's handwritten digits. The Verilog of CONFIG, a preset or a .toml file, then
    computes each layer for the 360 held-out images, at 8 × 8, 6 × 6, 4 × 4, 4 × 2 and 2 × 2 bits. Tables and plot have
    accuracy, cycles, and utilization of the processing elements. Every word is compared with the golden model: if a
    word differs, the exit code is 1.
    """
    started = time.perf_counter()
    picture, data = output / "digits.png", output / "digits.json"
    for file in (picture, data):
        check_output_file(file)
    if images is None and (waves or simulator == "icarus"):
        images = FEW
    try:
        given = Config.load(config).changed(changes)
        check_config(given)
        check_installed(simulator)
        with _Stages() as stages:
            stages("Training")
            workload = Workload.prepare(given, images, large=images is None, progress=stages.update)
            array = SimulatedArray(
                workload.config, folder=output, simulator=simulator, waves=waves, progress=stages.update
            )
            results = workload.run(array, stages)
        plot(results, picture)
        data.write_text(json.dumps(results.to_json(), indent=2) + "\n", encoding="utf-8")
    except (ConfigError, SimulationError, SimulatorMissing) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"cannot write into {output}: {error.strerror}") from None
    if as_json:
        click.echo(json.dumps(results.to_json(), indent=2))
    else:
        source = ", ".join([config, *(f"{key} = {value}" for key, value in changes.items())])
        click.echo(configuration_text(source, given, workload.config))
        print_tables(tables(results))
        for file in (picture, data, *([results.array.record] if results.array.record else [])):
            click.echo(file)
        click.echo(
            f"{time.perf_counter() - started:.0f} s: build {array.build_seconds:.0f} s, simulation"
            f" {array.seconds:.0f} s, {array.cycles / array.seconds:,.0f} cycles per second"
        )
    if results.wrong:
        raise CommandError(f"not equal to the golden model: {'; '.join(results.wrong)}")
    if not as_json:
        click.echo("Every word equals the golden model's.")


class _Stages:
    """Progress on a terminal, one line per stage; called with the name of the next stage."""

    def __init__(self):
        console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task: TaskID | None = None

    def __enter__(self) -> "_Stages":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, stage: str) -> None:
        if self.task is not None:
            self.progress.update(self.task, total=1, completed=1)
        self.task = self.progress.add_task(stage, total=None)

    def update(self, done: int, all_: int) -> None:
        """Report the progress of the current stage."""
        if self.task is not None:
            self.progress.update(self.task, total=all_, completed=done)
