"""``lowtide study term-revealing``."""

import click

from lowtide.cli.options import Names, Whole, Wholes
from lowtide.paths import check_output_folder
from lowtide_studies.harness.options import CACHE, StudyOptions, study_options, target_option, typed_option
from lowtide_studies.networks.digits import SPLIT
from lowtide_studies.term_revealing.area_time import measure_chosen
from lowtide_studies.term_revealing.quantized import SCHEDULES
from lowtide_studies.term_revealing.report import area_table, plot, sentences, tables
from lowtide_studies.term_revealing.revealed import settings
from lowtide_studies.term_revealing.study import run_study

__all__ = ["command"]

QUICK_SEEDS, QUICK_GROUPS, QUICK_TERMS = 2, (8, 16), (2, 3)

EXAMPLES = """\b
Examples:
  lowtide study term-revealing
  lowtide study term-revealing --quick
  lowtide study term-revealing --network perceptron --bits 8 --seeds 20 --split 2
"""


@click.command("term-revealing", epilog=EXAMPLES)
@click.option(
    "--network",
    "networks",
    type=Names("network", tuple(SCHEDULES)),
    default=",".join(SCHEDULES),
    help=f"Networks: of {', '.join(SCHEDULES)}; all by default.",
)
@click.option(
    "--bits",
    "widths",
    type=Wholes("bits", range(4, 9)),
    default="8,6",
    show_default=True,
    help="Bits per integer of weights and activations.",
)
@typed_option(Whole("split", range(1000)), SPLIT, "Choice of held-out images.")
@click.option("--by-channel", is_flag=True, help="One scale per output of a layer, not one for all weights.")
@target_option
@study_options("term-revealing", seeds=10, quick=f"{QUICK_SEEDS} seeds and few settings")
def command(
    options: StudyOptions,
    networks: tuple[str, ...],
    widths: tuple[int, ...],
    split: int,
    by_channel: bool,
    target: str,
) -> None:
    """Measure pairs and accuracy with term revealing.

    Small networks learn scikit-learn's handwritten digits in FP32 and are quantized to integers, without further
    training. Weights keep the k largest terms of each group of g, activations the s largest terms of each value, in
    many settings. Losses are relative to plain quantization. Validation images select the cheapest setting, and
    held-out images measure its loss.
    """
    chosen = list(settings(groups=QUICK_GROUPS, data_terms=QUICK_TERMS) if options.quick else settings())
    seeds = min(options.seeds, QUICK_SEEDS) if options.quick else options.seeds
    check_output_folder(CACHE)
    runner = options.runner("term-revealing")
    study = run_study(networks, widths, chosen, seeds=range(seeds), split=split, by_channel=by_channel, runner=runner)
    measured = measure_chosen(study.sweeps, target=target, runner=runner)
    elements = {(one.network, one.width): one.to_json() for one in measured}
    options.report(
        settings=study.settings_to_json() | {"target": target},
        rows=[row | {"elements": elements.get((row["network"], row["width"]))} for row in study.rows()],
        tables=[*tables(study), *map(area_table, measured)],
        sentences=sentences(study),
        draw=lambda file: plot(study, file),
    )
