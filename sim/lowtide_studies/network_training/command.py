"""``lowtide study network-training``."""

from typing import Any

import attrs
import click

from lowtide.cli.options import Name, Names, Number, Whole
from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, legal_text
from lowtide.paths import check_output_folder
from lowtide_studies.equal_area.cells import Cells, measure_cells
from lowtide_studies.harness.options import CACHE, StudyOptions, study_options, target_option, typed_option
from lowtide_studies.network_training.options import images_option, networks_option, text_option
from lowtide_studies.network_training.run import (
    FORMATS,
    NETWORKS,
    RANDOM_BITS,
    REFERENCE,
    USUAL_FORMATS,
    Run,
    usual_run,
)

__all__ = ["command"]

QUICK = {"epochs": 1, "samples": 64, "batch": 16, "width": 16, "evaluations": 1, "evaluated": 128}

EXAMPLES = """\b
Examples:
  lowtide study network-training
  lowtide study network-training --quick
  lowtide study network-training --network resnet20 --images digits --seeds 3
  lowtide study network-training --network resnet8 --images my_images
  lowtide study network-training --network lstm,transformer --text book.txt
"""


@click.command("network-training", epilog=EXAMPLES)
@networks_option(NETWORKS, "resnet8,transformer")
@click.option(
    "--number-format",
    "formats",
    type=Names("number-format", FORMATS),
    default=",".join(USUAL_FORMATS),
    help=f"Number formats: of {', '.join(FORMATS)}; by default, all but the last {len(FORMATS) - len(USUAL_FORMATS)}.",
)
@images_option("glyphs")
@text_option
@typed_option(Whole("epochs", range(1, 100001)), 5, "Epochs.")
@typed_option(Whole("samples", range(1, 10**9 + 1)), None, "Most images or sequences of an epoch.  [default: all]")
@typed_option(Whole("width", range(4, 4097, 4)), None, "Channels or features.  [default: 16, text 128]")
@typed_option(Whole("batch", range(2, 65537)), None, "Images or sequences of a step.  [default: 64, text 16]")
@typed_option(Number("rate", 0, 100), None, "Learning rate at the start.  [default: 0.1, text 0.002]")
@typed_option(Number("alpha", 0, 3, both=True), 0.5, "Threshold of the adaptive formats at the start, FAST's α.")
@typed_option(Number("beta", 0, 3, both=True), 0.3, "Decrease of the threshold over steps and over layers, FAST's β.")
@typed_option(Number("share", 0, 1, both=True), 0.25, "Share of the steps that are low in low-then-high.")
@typed_option(Whole("random-bits", RANDOM_BITS), Run().random_bits, "Bits of the engine's random words.")
@click.option(
    "--random-plateau/--no-random-plateau",
    default=Run().random_plateau,
    show_default=True,
    help="Whether the least and the greatest of them are half as frequent.",
)
@typed_option(Whole("evaluations", range(1, 1001)), 4, "Evaluations per epoch.")
@typed_option(Number("margin", 0, 100), 1.0, "Distance of the target from FP32: points, or per cent of a perplexity.")
@typed_option(
    Name("reference", FORMATS), None, f"Format to which times at equal area are relative.  [default: {REFERENCE}]"
)
@click.option("--cells/--no-cells", default=True, help="Whether to synthesize the units, for times at equal area.")
@target_option
@study_options(
    "network-training", seeds=1, quick="1 seed, 1 epoch of 64 images or sequences, batches of 16, width 16, no cells"
)
def command(
    options: StudyOptions,
    networks: tuple[str, ...],
    formats: tuple[str, ...],
    images: str,
    text: str,
    margin: float,
    reference: str | None,
    cells: bool,
    target: str,
    **training: Any,
) -> None:
    """Train real networks in several formats.

    For each seed, all formats start with the same weights and see the same samples in the same order. A matrix engine
    computes every product of the formats in block floating point; the operands of bf16 and int8 are rounded, with sums
    in FP32. The target is the final quality of FP32 on validation data, less a margin. The time to the target is by
    the cycle model of the engine, with loading. At equal area, it is multiplied by the cells of a unit, as in
    `lowtide study equal-area`.
    """
    # Help needs no PyTorch.
    from lowtide_studies.network_training.report import cost_table, improvement_table, plot, quality_table
    from lowtide_studies.network_training.study import CHECKPOINTS, compare, plain_cost
    from lowtide_studies.network_training.units import COMPARED

    if reference not in (None, *formats):
        raise IllegalValue("reference", f"{legal_text(formats)}, the compared formats", reference)
    check_output_folder(CACHE)
    check_output_folder(CHECKPOINTS)
    seeds = options.seeds
    if options.quick:
        training, seeds, cells = training | QUICK, 1, False
    given = {key: value for key, value in training.items() if value is not None}
    found = compare(
        [usual_run(network, given) for network in networks],
        formats,
        range(seeds),
        images=images,
        text=text,
        margin=margin,
        reference=reference or REFERENCE,
        runner=options.runner("network-training"),
    )
    known: dict[str, Cells] = {}
    if cells:
        measured = measure_cells(Config(), [target], options.runner("equal-area"), candidates=COMPARED)
        known = {name: own[target] for name, own in measured.items()}
    costs = [comparison.costs(known) for comparison in found]
    tables = []
    for comparison, rows in zip(found, costs, strict=True):
        tables.append(quality_table(comparison))
        if comparison.target is not None:
            tables.append(cost_table(comparison, rows, target))
        improvements = improvement_table(comparison)
        if improvements is not None:
            tables.append(improvements)
    options.report(
        settings={
            "runs": [attrs.asdict(comparison.run) for comparison in found],
            "data": {comparison.run.network: comparison.data for comparison in found},
            "seeds": list(range(seeds)),
            "margin": margin,
            "reference": reference or REFERENCE,
            "target": target,
            "costs": [
                plain_cost(comparison, row) for comparison, rows in zip(found, costs, strict=True) for row in rows
            ],
        },
        rows=[row for comparison in found for row in comparison.to_json()],
        tables=tables,
        draw=lambda file: plot(found, costs, file),
    )
