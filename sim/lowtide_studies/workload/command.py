"""``lowtide sim``: a network on the simulated array."""

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from lowtide.cli.emit import settings
from lowtide.cli.options import OutputFolder, Whole
from lowtide.config import Config, ConfigError
from lowtide.errors import CommandError
from lowtide.paths import check_output_file
from lowtide_sim.simulated_array import SimulatedArray
from lowtide_sim.simulator import SIMULATORS, SimulationError, SimulatorMissing, check_installed
from lowtide_studies.networks.digits import HELD_OUT
from lowtide_studies.workload.plot import plot
from lowtide_studies.workload.run import Workload, check_config
from lowtide_studies.workload.table import configuration_text, tables

__all__ = ["command"]

# Where every image would take too long: with a slow simulator, or with every signal recorded.
FEW = 8

EXAMPLES = """\b
Examples:
  lowtide sim
  lowtide sim --set bfp.chunk_a=4 --set bfp.chunk_b=4
  lowtide sim my.toml --images 24 --folder build/mine
  lowtide sim tiny --simulator icarus --waves
"""


@click.command("sim", epilog=EXAMPLES)
@click.argument("config", default="default")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", callback=settings, help="Change a parameter. Repeatable."
)
@click.option(
    "--simulator", type=click.Choice(list(SIMULATORS)), default="verilator", show_default=True, help="What simulates."
)
@click.option(
    "--images",
    type=Whole("images", range(1, HELD_OUT + 1)),
    help=f"Only so many of the {HELD_OUT} images, and no large product. {FEW} with Icarus or --waves, which are slow.",
)
@click.option("--waves", is_flag=True, help="Record waveforms of the network's last layer.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON instead of tables.")
@click.option(
    "--folder",
    type=OutputFolder("folder"),
    default=Path("build/sim"),
    show_default=True,
    help="Where results, picture, Verilog and logs go.",
)
def command(
    config: str, changes: dict[str, Any], simulator: str, images: int | None, waves: bool, as_json: bool, folder: Path
) -> None:
    """Run a real network on the simulated array.

    A small network is trained on scikit-learn's handwritten digits. Its 360 held-out images then go, layer by
    layer, through the Verilog of CONFIG, a preset or a .toml file, at 8 × 8, 6 × 6, 4 × 4, 4 × 2 and 2 × 2 bits.
    Printed and drawn are its accuracy beside FP32's, cycles, and how busy the processing elements are. Every word
    that comes out is compared with the golden model's: if one differs, the exit code is 1.
    """
    started = time.perf_counter()
    picture, data = folder / "digits.png", folder / "digits.json"
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
                workload.config, folder=folder, simulator=simulator, waves=waves, progress=stages.update
            )
            results = workload.run(array, stages)
        plot(results, picture)
        data.write_text(json.dumps(results.to_json(), indent=2) + "\n", encoding="utf-8")
    except (ConfigError, SimulationError, SimulatorMissing) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"cannot write into {folder}: {error.strerror}") from None
    if as_json:
        click.echo(json.dumps(results.to_json(), indent=2))
    else:
        source = ", ".join([config, *(f"{key} = {value}" for key, value in changes.items())])
        click.echo(configuration_text(source, given, workload.config))
        for table in tables(results):
            Console().print(table)
        for file in (picture, data, *([results.array.record] if results.array.record else [])):
            click.echo(file)
        click.echo(
            f"{time.perf_counter() - started:.0f} s, of which {array.build_seconds:.0f} s to build and"
            f" {array.seconds:.0f} s to simulate, {array.cycles / array.seconds:,.0f} cycles a second"
        )
    if results.wrong:
        raise CommandError(f"not equal to the golden model: {'; '.join(results.wrong)}")
    if not as_json:
        click.echo("Every word equals the golden model's.")


class _Stages:
    """Progress on the terminal, a line for each stage. Called with the name of the next."""

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
        """So much of the current stage is done."""
        if self.task is not None:
            self.progress.update(self.task, total=all_, completed=done)
