"""``lowtide study layer-precision``."""

import json
from pathlib import Path
from typing import Any

import attrs
import click

from lowtide.cli.options import Number, Whole, set_option
from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide.paths import check_output_file
from lowtide_studies.harness.options import StudyOptions, study_options, typed_option
from lowtide_studies.harness.storage import open_study
from lowtide_studies.layer_precision.metrics import METRICS

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  lowtide study layer-precision
  lowtide study layer-precision model.onnx --inputs images.npz --labels labels.npy
  lowtide study layer-precision model.onnx --inputs images.npz --tuning 200
  lowtide study layer-precision recognizer.onnx --lines 64 --batch 8 --set bfp.mantissa=8 --cost bits --loss 1
  lowtide study layer-precision --set bfp.mantissa=8 --cost bits --keep-ends
  lowtide run model.onnx --precision-file build/studies/layer-precision.toml
"""


@click.command("layer-precision", epilog=EXAMPLES)
@click.argument("model", type=str, required=False)
@click.option("--inputs", metavar="FILE", help="NumPy file .npz with an array per input. Needed with MODEL.")
@click.option(
    "--labels",
    metavar="FILE",
    help="NumPy file .npy with the label of each sample; for characters, a row of their classes, and zeros after them.",
)
@typed_option(
    Whole("lines", range(2, 10**6 + 1)),
    None,
    "Draw N lines of text as inputs and labels, for a MODEL that reads 48 x 320 pixels and whose metadata list the"
    " characters, such as RapidOCR's.",
)
@typed_option(
    Whole("batch", range(1, 10**9 + 1)),
    None,
    "Samples of a run of the network, which limits the memory. Single steps are measured on one run.  [default: all]",
)
@typed_option(
    Whole("tuning", range(10**9 + 1)),
    0,
    "Tune the weights for the bits of each point with the first N samples, which then measure nothing; with --lines, N"
    " more lines are drawn.",
)
@click.option(
    "--metric",
    type=click.Choice(list(METRICS)),
    help="Quality: accuracy against labels; agreement with FP32; characters read, against labels or FP32."
    "  [default: accuracy with labels, characters with --lines, otherwise agreement]",
)
@click.option("--output-name", metavar="NAME", help="Measured output.  [default: the first]")
@typed_option(Number("loss", 0, 100), 0.5, "Quality that the chosen bits may lose, in points.")
@click.option(
    "--cost",
    type=click.Choice(["cycles", "bits"]),
    default="cycles",
    show_default=True,
    help="What the search reduces: cycles of the engine, or mean bits.",
)
@click.option("--keep-ends", is_flag=True, help="Leave the most bits to the first and the last layer.")
@click.option(
    "--operands",
    type=click.Choice(["packed", "fp32"]),
    default="packed",
    show_default=True,
    help="Form of the operands in the cycle model.",
)
@click.option("--engine", "config", metavar="CONFIG", default="default", help="Configuration.  [default: default]")
@set_option
@typed_option(Whole("trials", range(10**6)), 100, "Points of the search; 0 for the path alone.")
@study_options("layer-precision", quick="the path alone")
def command(
    options: StudyOptions,
    model: str | None,
    inputs: str | None,
    labels: str | None,
    lines: int | None,
    batch: int | None,
    tuning: int,
    metric: str | None,
    output_name: str | None,
    loss: float,
    cost: str,
    keep_ends: bool,
    operands: str,
    config: str,
    changes: dict[str, Any],
    trials: int,
) -> None:
    """Find the bits of each layer of an ONNX network.

    The search reduces the bits of single operands of single layers, first where they add the least noise to the output
    per saved cost. Then NSGA-II changes the bits of several layers at a time. The chosen bits are the cheapest ones on
    the front of cost and noise whose expected quality suffices. Each second sample selects the bits, and the other
    samples test them. The result is a file that `lowtide run --precision-file` and the Python packages take. Without a
    MODEL, the network is a perceptron for scikit-learn's digits.

    With --tuning, least squares tune the weights of each layer for the bits of each point, without labels. The tuned
    network is an ONNX file beside the bits.
    """
    result, network = (options.output / f"layer-precision.{ending}" for ending in ("toml", "onnx"))
    check_output_file(result)
    if tuning:
        check_output_file(network)
    found = Config.load(config).changed(changes)
    found.check_bfp_engine()
    if operands == "packed" and not found.engine.packed_operands:
        raise IllegalValue("operands", "fp32 with engine.packed_operands = false", operands)
    if model is None and any(value is not None for value in (inputs, labels, lines, batch, output_name)):
        raise click.UsageError("--inputs, --labels, --lines, --batch and --output-name need a MODEL")
    if lines is not None and any(value is not None for value in (inputs, labels)):
        raise click.UsageError("--lines conflicts with --inputs and --labels")
    if lines is not None and metric not in (None, "characters"):
        raise click.UsageError(f"--lines conflicts with --metric {metric}")
    if model is not None and inputs is None and lines is None:
        raise click.UsageError("MODEL needs --inputs or --lines, whose samples measure the quality")
    if metric == "accuracy" and model is not None and labels is None:
        raise click.UsageError("--metric accuracy needs --labels")
    if labels is not None and metric == "agreement":
        raise click.UsageError("--labels conflicts with --metric agreement, which compares with FP32")
    # Help needs no ONNX.
    from lowtide_onnx.precision import legal_bits
    from lowtide_studies.layer_precision.report import file_text, front_table, layer_table, plot
    from lowtide_studies.layer_precision.search import Space
    from lowtide_studies.layer_precision.study import explore
    from lowtide_studies.layer_precision.task import Costs, Task, tuned_network

    files = (model, inputs, labels)
    if model is None:
        from lowtide_studies.layer_precision.example import TRAINING, write_example

        whole_number("tuning", tuning, range(TRAINING + 1), because="the digits that train the network")
        files = tuple(map(str, write_example(options.output / "layer-precision", tuning)))
    elif lines is not None:
        from lowtide_studies.layer_precision.lines import write_lines

        files = (model, *map(str, write_lines(model, options.output / "layer-precision", lines, tuning)))
        metric = "characters"
    metric = metric or ("agreement" if files[2] is None else "accuracy")
    task = Task.of(
        found,
        model=str(files[0]),
        inputs=str(files[1]),
        labels=files[2],
        output=output_name,
        metric=metric,
        batch=batch,
        tuning=tuning,
    )
    costs = Costs(task, cost, operands == "packed")
    layers = tuple(costs.products)
    if not layers:
        raise IllegalValue("model", "a network with a layer on the engine", task.model)
    bits_a, bits_b = (tuple(bits) for bits in legal_bits(found))
    kept = frozenset({layers[0], layers[-1]} if keep_ends else ())
    space = Space(layers=layers, bits_a=bits_a, bits_b=bits_b, kept=kept)
    outcome = explore(
        task,
        space,
        costs,
        runner=options.runner("layer-precision"),
        trials=0 if options.quick else trials,
        open_search=lambda name: open_study(options.storage, name, objectives=2),
    )
    chosen = outcome.chosen(loss / 100)
    limit = f"at most {loss:g} point{'s' * (loss != 1)} less than FP32"
    what = f"{Path(task.model).name}: {len(layers)} layers, {metric}, {limit}"
    numbers = f"{100 * chosen.tested:.2f} % on the other samples, in FP32 {100 * outcome.tested:.2f} %"
    options.output.mkdir(parents=True, exist_ok=True)
    result.write_text(file_text(space, chosen, (what, numbers)), encoding="utf-8")
    written = [str(result)]
    if tuning:
        tuned_network(task, chosen.point).save(network)
        written.append(str(network))
    sentences = [] if outcome.suffices(loss / 100) else ["All bits lose more. The bits of the least noise are chosen."]
    options.report(
        settings={
            **{key: value for key, value in attrs.asdict(task).items() if key != "config"},
            "config": json.loads(task.config),
            "loss": loss,
            "cost": cost,
            "operands": operands,
            "layers": {name: {"macs": costs.macs[name]} for name in layers},
            "kept": sorted(kept),
            "fp32": {"quality": outcome.quality, "tested": outcome.tested},
            "chosen": space.precision(chosen.point),
        },
        rows=[attrs.asdict(one) for one in (*outcome.stored, *outcome.found)],
        tables=[front_table(what, outcome, costs, loss / 100, metric), layer_table(space, chosen, costs)],
        sentences=[*sentences, *written],
        draw=lambda file: plot(what, outcome, space, costs, loss / 100, file),
    )
