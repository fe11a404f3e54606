"""``lowtide tune``: tune the weights of an ONNX network for few bits."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from lowtide.cli.options import Whole, json_option, output_option, quiet_option, set_option
from lowtide.cli.progress import progress_bar
from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue
from lowtide.paths import check_output_file
from lowtide_model.precision_file import read_precision
from lowtide_onnx.files import read_inputs
from lowtide_onnx.load import load_onnx
from lowtide_onnx.options import precision_options
from lowtide_onnx.tables import new_table, print_table

if TYPE_CHECKING:
    from lowtide_onnx.operand import Bits

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  lowtide tune model.onnx --inputs samples.npz
  lowtide tune model.onnx --inputs samples.npz --precision 6x4 --batch 32
  lowtide tune model.onnx --inputs samples.npz --precision-file bits.toml -o build/tuned
  lowtide run build/tuned/model.onnx --precision 6x4
"""


@click.command("tune", epilog=EXAMPLES)
@click.argument("model", type=str)
@click.option("--inputs", metavar="FILE", required=True, help="NumPy file .npz with an array of samples per input.")
@precision_options
@click.option(
    "--batch",
    type=Whole("batch", range(1, 10**9 + 1)),
    help="Samples of a run of the network, which limits the memory.  [default: all]",
)
@click.option(
    "--engine",
    "config",
    metavar="CONFIG",
    default="default",
    show_default=True,
    help="Configuration: a preset or TOML file.",
)
@set_option
@json_option
@quiet_option
@output_option("build/tuned", "Folder of the tuned network.")
def command(
    model: str,
    inputs: str,
    precision: "dict[str, int | str | Bits | None]",
    precision_file: str | None,
    batch: int | None,
    config: str,
    changes: dict[str, Any],
    as_json: bool,
    quiet: bool,
    output: Path,
) -> None:
    """Tune the weights of an ONNX network for few bits.

    Layer by layer, least squares bring the products of few bits near to the products in FP32. Samples are needed, but
    no labels. The result is an ONNX file. Its weights are numbers that the engine represents exactly in the given bits.
    The table has the error of the outputs before and after, of the given samples.
    """
    # Help needs no ONNX.
    from lowtide_onnx.inputs import checked_runs
    from lowtide_onnx.layer_report import decibels, decibels_text, plain
    from lowtide_onnx.report import Outputs

    started = time.perf_counter()
    stem = Path(model).stem
    if not stem or not stem.isprintable():
        raise IllegalValue("model", "the name of an ONNX file", model)
    file = output / f"{stem}.onnx"
    if file.resolve() == Path(model).resolve():
        raise IllegalValue("output", "a folder without the model itself", str(output))
    check_output_file(file)
    if precision_file is not None:
        precision = read_precision(precision_file) | precision
    network, samples = load_onnx(model, Config.load(config).changed(changes)), read_inputs(inputs)
    with progress_bar(quiet=quiet) as progress:
        task = progress.add_task("Layers", total=len(network.layers))
        tuned = network.tuned(
            samples,
            precision,
            batch=batch,
            progress=lambda done, _of, name: progress.update(task, completed=done, item=name),
        )
        runs = checked_runs(network.inputs, samples, batch)
        task = progress.add_task("Errors", total=len(runs))
        energies = {name: np.zeros((2, 2)) for name in network.outputs}
        for done, run in enumerate(runs, 1):
            exact = network.predict(run, "fp32")
            for place, one in enumerate((network, tuned)):
                outputs = Outputs(found=one.predict(run, precision), expected=exact, names=network.outputs)
                for name in network.outputs:
                    energies[name][place] += outputs.energies(name)
            progress.update(task, completed=done)
        before, after = ({name: decibels(*both[place]) for name, both in energies.items()} for place in range(2))
    output.mkdir(parents=True, exist_ok=True)
    tuned.save(file)
    kept = [name for name in network.layers if name not in network.tunable]
    if as_json:
        errors = {name: {"before": plain(before[name]), "after": plain(after[name])} for name in network.outputs}
        result = {"model": str(file), "tuned": network.tunable, "kept": kept, "sqnr_db": errors}
        click.echo(json.dumps(result, indent=2))
        return
    table = new_table(file.name, ("Output",), ("SQNR before, dB", "SQNR tuned, dB"))
    for name in network.outputs:
        table.add_row(name, *(decibels_text(one[name]) for one in (before, after)))
    print_table(table)
    click.echo(f"Tuned layers: {len(network.tunable)} of {len(network.layers)}")
    if kept:
        click.echo(f"Layers with their old weights: {', '.join(kept)}")
    click.echo(file)
    click.echo(f"{time.perf_counter() - started:.0f} s")
