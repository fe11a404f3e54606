"""``lowtide run``: an ONNX network on an engine, and the cost of each layer."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from lowtide.cli.options import Whole, integer, json_option, output_option, quiet_option, set_option
from lowtide.cli.progress import progress_bar
from lowtide.config import Config
from lowtide.engine.operand import ROUNDINGS
from lowtide.errors import CommandError
from lowtide.formats.parameter import IllegalValue
from lowtide.paths import check_output_file
from lowtide_model.precision_file import read_precision
from lowtide_onnx.files import read_inputs
from lowtide_onnx.load import load_onnx
from lowtide_onnx.options import precision_options

if TYPE_CHECKING:
    from lowtide_model.engine.panels import MatrixEngine
    from lowtide_onnx.operand import Bits
    from lowtide_onnx.report import Report

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  lowtide run model.onnx
  lowtide run model.onnx --list
  lowtide run model.onnx --check --shape image=1,3,224,224
  lowtide run model.onnx --precision 4 --precision 'head=4x2'
  lowtide run model.onnx --inputs batch.npz --engine ulx3s-8bit --json
  lowtide run model.onnx --on board --port /dev/ttyUSB0
"""


def _shapes(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Shape of each input."""
    found = {}
    for value in values:
        name, _, text = value.rpartition("=")
        sizes = [integer(part) for part in text.split(",")]
        if not name or any(size is None or not 1 <= size < 2**31 for size in sizes):
            raise IllegalValue("shape", "the name of an input and its sizes, such as image=1,3,80,80", value)
        found[name] = tuple(size or 0 for size in sizes)
    return found


@click.command("run", epilog=EXAMPLES)
@click.argument("model", type=str)
@click.option("--inputs", metavar="FILE", help="NumPy file .npz with an array per input.  [default: random numbers]")
@click.option(
    "--shape",
    "shapes",
    multiple=True,
    metavar="NAME=N,...",
    callback=_shapes,
    help="Shape of a random input. Repeatable.",
)
@precision_options
@click.option(
    "--on",
    type=click.Choice(["golden", "verilator", "board"]),
    default="golden",
    show_default=True,
    help="Engine of the products: model, simulated Verilog or board.",
)
@click.option("--port", metavar="NAME", help="Port of the board.  [default: LOWTIDE_PORT, or the only USB port]")
@click.option(
    "--engine",
    "config",
    metavar="CONFIG",
    help="Configuration: a preset or TOML file.  [default: default, or the board's]",
)
@set_option
@click.option(
    "--operands",
    type=click.Choice(["fp32", "packed"]),
    default="fp32",
    show_default=True,
    help="Form of the operands in the cycle model.",
)
@click.option(
    "--rounding", type=click.Choice(list(ROUNDINGS)), default="nearest", show_default=True, help="Rounding of operands."
)
@click.option(
    "--seed",
    type=Whole("seed", range(2**32)),
    default=1,
    show_default=True,
    help="Seed of random inputs and stochastic rounding.",
)
@click.option("--list", "listed", is_flag=True, help="List the nodes on the engine and the host, and stop.")
@click.option("--check", is_flag=True, help="First compare each node with onnxruntime.")
@json_option
@quiet_option
@output_option("build/run", "Folder of report, outputs and picture.")
def command(
    model: str,
    inputs: str | None,
    shapes: dict[str, tuple[int, ...]],
    precision: "dict[str, int | str | Bits | None]",
    precision_file: str | None,
    on: str,
    port: str | None,
    config: str | None,
    changes: dict[str, Any],
    operands: str,
    rounding: str,
    seed: int,
    listed: bool,
    check: bool,
    as_json: bool,
    quiet: bool,
    output: Path,
) -> None:
    """Run an ONNX network on an engine.

    The engine computes the products of MatMul, Gemm, Conv, LSTM and GRU nodes, and onnxruntime computes the other
    nodes. The table has the cycles, the limit, the bytes and the error of each layer. The golden engine, the simulated
    Verilog and a board give equal bits.
    """
    started = time.perf_counter()
    if port is not None and on != "board":
        raise click.UsageError(f"--port needs --on board, not --on {on}")
    if inputs is not None and shapes:
        raise click.UsageError("--shape conflicts with --inputs; give one of them")
    stem = Path(model).stem
    if not stem or not stem.isprintable():
        raise IllegalValue("model", "the name of an ONNX file", model)
    picture, data, results = (output / f"{stem}.{ending}" for ending in ("png", "json", "npz"))
    for file in () if listed else (picture, data, results):
        check_output_file(file)
    if precision_file is not None:
        precision = read_precision(precision_file) | precision
    if listed:
        network = load_onnx(model, Config.load(config or "default").changed(changes))
        click.echo(json.dumps(network.to_json(), indent=2) if as_json else str(network))
        return
    with _engine(on, port, config, changes) as (engine, found), progress_bar(quiet=quiet) as progress:
        network = load_onnx(model, found)
        values = network.random_inputs(seed, shapes) if inputs is None else read_inputs(inputs)
        notes = [_random_text(values, seed)] if inputs is None else []
        notes += [str(network.check(values))] if check else []
        for note in notes if not (as_json and quiet) else ():
            click.echo(note, err=as_json)
        shares = None
        if on == "verilator":
            cycles = _cycles(network.report(values, precision, rounding=rounding, seed=seed), network.layers)
            shares = [sum(cycles[:done]) / max(1, sum(cycles)) for done in range(len(cycles) + 1)]
            if not quiet:
                text = f"Simulating {sum(cycles):,} cycles or more; first building the engine, if it is new"
                click.echo(text, err=True)
        task = progress.add_task("Layers", total=len(network.layers))

        def show(done: float, _of: int, name: str) -> None:
            share = None if shares is None else float(np.interp(done, range(len(shares)), shares))
            progress.update(task, completed=done, item=name, share=share)

        report = network.report(
            values,
            precision,
            on=engine,
            operands=operands,
            rounding=rounding,
            seed=seed,
            progress=show,
        )
    output.mkdir(parents=True, exist_ok=True)
    data.write_text(report.json() + "\n", encoding="utf-8")
    report.save(results)
    report.plot(picture)
    if as_json:
        click.echo(report.json())
        return
    report.print()
    for line in (picture, data, results, f"{time.perf_counter() - started:.0f} s"):
        click.echo(line)


@contextmanager
def _engine(
    on: str, port: str | None, config: str | None, changes: dict[str, Any]
) -> Iterator[tuple["str | MatrixEngine", Config]]:
    """The engine and its configuration; a board is closed at the end.

    Raises
    ------
    CommandError
        If the driver is missing.
    """
    asked = Config.load(config or "default").changed(changes)
    if on != "board":
        asked.check_bfp_engine()
        yield on, asked
        return
    found = entry_points(group="lowtide.engines", name="board")
    try:
        device = next(iter(found)).load()(port)
    except (StopIteration, ModuleNotFoundError):
        raise CommandError("a board needs its driver: pip install 'lowtide[boards]'") from None
    with device:
        yield device, asked if config or changes else device.config


def _cycles(report: "Report", layers: list[str]) -> list[int]:
    """Cycles of each layer by the cycle model."""
    found = dict.fromkeys(layers, 0)
    for layer in report.layers:
        found[layer.name] += 0 if layer.cost is None else layer.cost.cycles
    return list(found.values())


def _random_text(values: dict[str, Any], seed: int) -> str:
    shapes = (f"{name} ({', '.join(map(str, value.shape))})" for name, value in values.items())
    return f"Random inputs, seed {seed}: {', '.join(shapes)}"
