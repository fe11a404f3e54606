"""``lowtide train``: training with every product on a matrix engine."""

import json
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import attrs
import click
from rich.console import Console

from lowtide.cli.emit import settings
from lowtide.cli.options import Name, Number, OutputFile, Whole, number, output_option
from lowtide.cli.progress import progress_bar
from lowtide.config import Config
from lowtide.errors import CommandError
from lowtide.paths import check_output_file
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.panels import MatrixEngine
from lowtide_sim.engine.verilated import VerilatedEngine
from lowtide_sim.simulator import SimulationError, SimulatorMissing
from lowtide_studies.engine_training.log import Log
from lowtide_studies.engine_training.products import check_chunks
from lowtide_studies.engine_training.report import beats_per_pair, cycles, high_shares, plot, run_table, run_title
from lowtide_studies.engine_training.run import PRECISIONS, Run
from lowtide_studies.engine_training.schedule import SCHEDULES
from lowtide_studies.engine_training.trainer import Diverged, Trained, images_of, train
from lowtide_studies.harness.options import typed_option
from lowtide_studies.networks.digits import HELD_OUT
from lowtide_studies.networks.network import NETWORKS

__all__ = ["board_at", "command"]


def board_at(port: str | None, asked: Config | None) -> MatrixEngine:
    """The engine of the board at a port, by default ``LOWTIDE_PORT`` or the only USB port.

    Raises `CommandError` if the driver or the board is missing, or the engine differs from the required configuration.
    """
    found = entry_points(group="lowtide.engines", name="board")
    try:
        engine: MatrixEngine = next(iter(found)).load()(port)
    except (StopIteration, ModuleNotFoundError):
        raise CommandError("a board needs its driver: pip install 'lowtide[boards]'") from None
    has, wants = engine.config.to_tables(), (asked or engine.config).to_tables()
    for section in ("array", "bfp", "engine"):
        for key, value in wants[section].items():
            if has[section][key] != value:
                raise CommandError(
                    f"the board has {section}.{key} = {has[section][key]}, not {value}, for which it was asked"
                )
    return engine


ENGINES = ("golden", "verilator", "board")

EXAMPLES = """\b
Examples:
  lowtide train
  lowtide train --schedule fixed-2 --network convolution --rate 0.05
  lowtide train --set schedule.alpha=0.5 --set schedule.beta=0.2 --seed 3
  lowtide train --engine verilator --set array.rows=4 --set array.columns=4 --steps 20
  lowtide train --engine board --port /dev/ttyUSB0 --steps 50
  lowtide train --log run.log       (again: resumes after an interruption)
"""


def _with_numbers(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Keys and values of ``--set``; numbers for the schedule are converted."""
    pairs = settings(context, option, values)
    for key, value in pairs.items():
        if key.startswith("schedule.") and isinstance(value, str) and (found := number(value)) is not None:
            pairs[key] = found
    return pairs


@click.command("train", epilog=EXAMPLES)
@typed_option(Name("network", NETWORKS), "perceptron", f"Network: {', '.join(NETWORKS)}.")
@typed_option(Name("schedule", PRECISIONS), "adaptive", f"Schedule of precision or baseline: {', '.join(PRECISIONS)}.")
@click.option(
    "--engine", type=click.Choice(ENGINES), default="golden", show_default=True, help="Engine of all products."
)
@click.option("--port", metavar="NAME", help="Port of the board.  [default: LOWTIDE_PORT, or the only USB port]")
@click.option(
    "--config", default="default", show_default=True, help="Configuration of the engine: preset or .toml file."
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_with_numbers,
    help="Parameter of the configuration, or of the schedule as in schedule.alpha=0.5. Repeatable.",
)
@click.option("--steps", type=Whole("steps", range(1, 10**6 + 1)), help="Number of steps.  [default: 8 epochs]")
@click.option("--epochs", type=Whole("epochs", range(1, 1001)), help="Passes over the training images, for --steps.")
@typed_option(Whole("batch", range(1, 1151)), 32, "Images per step.")
@typed_option(Number("rate", 0, 100), 0.2, "Learning rate at the start.")
@typed_option(Whole("seed", range(2**32)), 0, "Seed of weights, images and rounding.")
@click.option("--validation", is_flag=True, help="Accuracy on 287 training images that are excluded from training.")
@click.option(
    "--log",
    "log_file",
    type=OutputFile("log"),
    help="Log of the run, from which an interrupted run resumes.  [default: a file in the folder]",
)
@typed_option(Whole("checkpoint", range(1, 10**6 + 1)), 10, "Steps between two checkpoints.")
@click.option("--json", "as_json", is_flag=True, help="JSON with each step instead of a table.")
@output_option("build/train", "Folder of plot, results and log.")
def command(
    network: str,
    schedule: str,
    engine: str,
    port: str | None,
    config: str,
    changes: dict[str, Any],
    steps: int | None,
    epochs: int | None,
    batch: int,
    rate: float,
    seed: int,
    validation: bool,
    log_file: Path | None,
    checkpoint: int,
    as_json: bool,
    output: Path,
) -> None:
    """Train a network on a matrix engine.

    A network learns scikit-learn's handwritten digits. Its weights stay in FP32. The engine computes the three products
    of each layer, in a precision that the schedule selects for each operand in each step. The golden engine, the
    simulated Verilog and a board give equal bits. Each step is logged: the same command resumes an interrupted run,
    which ends with equal bits. Without a configuration, a board keeps its own.
    """
    started = time.perf_counter()
    if steps is not None and epochs is not None:
        raise click.UsageError("--steps conflicts with --epochs; give one of them")
    if port is not None and engine != "board":
        raise click.UsageError(f"--port needs --engine board, not --engine {engine}")
    keys = {key: value for key, value in changes.items() if not key.startswith("schedule.")}
    asked = Config.load(config).changed(keys)
    asked.check_bfp_engine()
    if schedule in SCHEDULES:
        check_chunks(asked)
    run = Run(
        network=network,
        schedule=schedule,
        options={key.removeprefix("schedule."): value for key, value in changes.items() if key.startswith("schedule.")},
        config=asked,
        batch=batch,
        rate=rate,
        seed=seed,
        validation=validation,
        **({} if steps is None else {"steps": steps}),
    )
    made = None if engine == "verilator" else GoldenEngine(asked)
    if engine == "board":
        made = board_at(port, None if config == "default" and not keys else asked)
        made.config.check_bfp_engine()
        if schedule in SCHEDULES:
            check_chunks(made.config)
        run = attrs.evolve(run, config=made.config)
    if steps is None:
        run = attrs.evolve(run, steps=(epochs or 8) * -(-len(images_of(run)[0]) // run.batch))
    name = f"{network}-{schedule}-{seed}-{engine}-{run.digest}"
    picture, data = output / f"{name}.png", output / f"{name}.json"
    for file in (picture, data):
        check_output_file(file)
    log = Log(log_file or output / f"{name}.log", run.identity())
    try:
        trained = _trained(run, made, log, checkpoint)
    except (Diverged, SimulationError, SimulatorMissing) as error:
        raise CommandError(str(error)) from None
    plot(trained, run_title(run, engine), picture)
    figures = json.dumps(_figures(run, trained, engine), indent=2)
    data.write_text(figures + "\n", encoding="utf-8")
    if as_json:
        click.echo(figures)
        return
    Console(width=None if sys.stdout.isatty() else 120).print(run_table(run, trained, engine))
    for file in (picture, data, log.path):
        click.echo(file)
    click.echo(f"{time.perf_counter() - started:.0f} s")


def _trained(run: Run, made: MatrixEngine | None, log: Log, checkpoint: int) -> Trained:
    """The trained network; without an engine, one is built from the emitted Verilog."""
    with progress_bar() as progress:
        task = progress.add_task("Training" if made else "Building the engine", total=run.steps)
        engine = made or VerilatedEngine(run.config, Path("build/engines"))
        progress.update(task, description="Training")
        return train(
            run, engine, log, checkpoint=checkpoint, progress=lambda done, _: progress.update(task, completed=done)
        )


def _figures(run: Run, trained: Trained, engine: str) -> dict[str, Any]:
    return {
        "run": run.identity(),
        "engine": engine,
        "images": {"held_out": HELD_OUT, "validation": run.validation},
        "high": high_shares(trained.steps),
        "beats_per_pair": beats_per_pair(trained.steps),
        "cycles": cycles(trained.steps),
        **attrs.asdict(trained),
    }
