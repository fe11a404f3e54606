"""``lowtide study gradient-rounding``."""

import attrs
import click

from lowtide.cli.options import Names, Whole
from lowtide_studies.gradient_rounding.report import plot, sentences, tables
from lowtide_studies.gradient_rounding.study import run_study
from lowtide_studies.harness.options import StudyOptions, study_options
from lowtide_studies.networks.roundings import NAMED, USUAL_ROUNDINGS
from lowtide_studies.networks.training import SETTINGS, USUAL

__all__ = ["command"]

QUICK_SEEDS, QUICK_EPOCHS = 2, 2

EXAMPLES = """\b
Examples:
  lowtide study gradient-rounding
  lowtide study gradient-rounding --quick
  lowtide study gradient-rounding --rounding nearest_even,ideal,plateau-space --seeds 20
"""


@click.command("gradient-rounding", epilog=EXAMPLES)
@click.option(
    "--setting",
    "settings",
    type=Names("setting", tuple(SETTINGS)),
    default=",".join(USUAL),
    help=f"Training settings: of {', '.join(SETTINGS)}; {', '.join(USUAL)} by default.",
)
@click.option(
    "--rounding",
    "roundings",
    type=Names("rounding", tuple(NAMED)),
    default=",".join(USUAL_ROUNDINGS),
    help=f"Roundings of gradients: of {', '.join(NAMED)}; all but nearest and the drawn words by default.",
)
@click.option("--epochs", type=Whole("epochs", range(1, 1001)), help="Number of epochs.  [default: by setting]")
@study_options("gradient-rounding", seeds=10, quick=f"{QUICK_SEEDS} seeds, {QUICK_EPOCHS} epochs")
def command(options: StudyOptions, settings: tuple[str, ...], roundings: tuple[str, ...], epochs: int | None) -> None:
    """Compare roundings of gradients.

    A small network learns scikit-learn's handwritten digits. The golden model quantizes the operands of all three
    products of each layer: weights and activations to nearest, ties to even, gradients with each rounding. For each
    seed all roundings start with the same weights and see the same images in the same order.
    """
    seeds = options.seeds
    if options.quick:
        seeds, epochs = min(seeds, QUICK_SEEDS), epochs or QUICK_EPOCHS
    chosen = {name: SETTINGS[name] for name in settings}
    if epochs is not None:
        chosen = {name: attrs.evolve(setting, epochs=epochs) for name, setting in chosen.items()}
    study = run_study(chosen, roundings, range(seeds), options.runner("gradient-rounding"))
    options.report(
        settings=study.settings_to_json(),
        rows=study.rows(),
        tables=tables(study),
        sentences=sentences(study),
        draw=lambda file: plot(study, file),
    )
