"""``lowtide study precision-schedules``."""

import click

from lowtide.cli.options import Name, Names, Number, Whole
from lowtide_studies.engine_training.run import PRECISIONS, Run
from lowtide_studies.harness.options import StudyOptions, study_options, typed_option
from lowtide_studies.networks.network import NETWORKS
from lowtide_studies.precision_schedules.report import comparison_table, plot_comparison
from lowtide_studies.precision_schedules.study import COMPARED, QUICK_SEEDS, QUICK_STEPS, SEEDS, USUAL, compare

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  lowtide study precision-schedules
  lowtide study precision-schedules --quick
  lowtide study precision-schedules --schedule fp32,adaptive --network convolution --rate 0.05
"""


@click.command("precision-schedules", epilog=EXAMPLES)
@click.option(
    "--schedule",
    "names",
    type=Names("schedule", PRECISIONS),
    default=",".join(COMPARED),
    help=f"Schedules and baselines: of {', '.join(COMPARED)}; all by default.",
)
@typed_option(Name("network", NETWORKS), "perceptron", f"Network: {', '.join(NETWORKS)}.")
@typed_option(Whole("steps", range(1, 10**6 + 1)), USUAL.steps, "Steps per run.")
@typed_option(Number("rate", 0, 100), USUAL.rate, "Learning rate at the start.")
@typed_option(Whole("evaluate", range(1, 10**6 + 1)), USUAL.evaluate, "Steps between two measurements of accuracy.")
@typed_option(Number("accuracy", 0, 100, closed=True), 96.0, "Accuracy to reach, in per cent.")
@click.option("--validation", is_flag=True, help="Accuracy on 287 training images that are excluded from training.")
@study_options("precision-schedules", seeds=SEEDS, quick=f"{QUICK_SEEDS} seeds, {QUICK_STEPS} steps")
def command(
    options: StudyOptions,
    names: tuple[str, ...],
    network: str,
    steps: int,
    rate: float,
    evaluate: int,
    accuracy: float,
    validation: bool,
) -> None:
    """Compare schedules of precision in training.

    For each seed all schedules start with the same weights and see the same images in the same order. The golden
    engine computes every product. Baselines are FP32, 8-bit integers, and 3-bit BFP as in MSFP-12.
    """
    seeds = options.seeds
    if options.quick:
        seeds, steps = min(seeds, QUICK_SEEDS), min(steps, QUICK_STEPS)
    runs = {
        name: Run(network=network, schedule=name, steps=steps, rate=rate, evaluate=evaluate, validation=validation)
        for name in names
    }
    found = compare(runs, range(seeds), options.runner("precision-schedules"))
    plain = found.to_json()
    options.report(
        settings=plain["settings"],
        rows=plain["rows"],
        tables=[comparison_table(found, accuracy)],
        draw=lambda file: plot_comparison(found, file),
    )
