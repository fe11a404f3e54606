"""``lowtide study network-rounding``."""

from typing import Any

import click

from lowtide.cli.options import Names
from lowtide.paths import check_output_folder
from lowtide_studies.harness.options import StudyOptions, study_options
from lowtide_studies.network_rounding.trainings import IMAGES, QUICK, ROUNDINGS, USUAL_ROUNDINGS, training_of
from lowtide_studies.network_training.options import (
    batch_option,
    epochs_option,
    images_option,
    networks_option,
    rate_option,
    samples_option,
    text_option,
    width_option,
)
from lowtide_studies.network_training.run import NETWORKS

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  lowtide study network-rounding
  lowtide study network-rounding --quick
  lowtide study network-rounding --network transformer --rounding nearest,ideal,plateau-space --seeds 10
  lowtide study network-rounding --network lstm --text book.txt
"""


@click.command("network-rounding", epilog=EXAMPLES)
@networks_option(NETWORKS, "perceptron,resnet8,lstm,transformer")
@click.option(
    "--rounding",
    "roundings",
    type=Names("rounding", ROUNDINGS),
    default=",".join(USUAL_ROUNDINGS),
    help=f"Roundings of gradients: of {', '.join(ROUNDINGS)}.  [default: {', '.join(USUAL_ROUNDINGS)}]",
)
@images_option(IMAGES)
@text_option
@epochs_option
@samples_option
@width_option
@batch_option
@rate_option
@study_options("network-rounding", seeds=3, quick="1 seed, 1 epoch of 64 samples, batches of 16, width 16")
def command(
    options: StudyOptions,
    networks: tuple[str, ...],
    roundings: tuple[str, ...],
    images: str,
    text: str,
    **training: Any,
) -> None:
    """Compare roundings of networks' gradients.

    Networks train in block floating point: weights and activations of 4 bits, to nearest; gradients of 2 bits, with
    each rounding. A matrix engine computes all products. For each seed, all roundings start with the same weights and
    see the same samples in the same order. Differences are relative to ideal stochastic rounding.
    """
    # Help needs no PyTorch.
    from lowtide_studies.network_rounding.report import MEANINGS, plot, sentences, tables
    from lowtide_studies.network_rounding.study import CHECKPOINTS, run_study

    check_output_folder(CHECKPOINTS)
    seeds = options.seeds
    if options.quick:
        training, seeds = training | QUICK, 1
    given = {key: value for key, value in training.items() if value is not None}
    runs = [training_of(network, given) for network in networks]
    results = run_study(
        [(run, text if run.text else images) for run in runs],
        roundings,
        seeds=range(seeds),
        runner=options.runner("network-rounding"),
    )
    options.report(
        settings={"seeds": list(range(seeds)), "roundings": {name: MEANINGS[name] for name in roundings}},
        rows=[row for result in results for row in result.to_json()],
        tables=tables(results),
        sentences=sentences(results),
        draw=lambda file: plot(results, file),
    )
