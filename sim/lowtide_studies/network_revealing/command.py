"""``lowtide study network-revealing``."""

from typing import Any

import click

from lowtide.cli.options import Names, Whole
from lowtide.formats.terms import ENCODINGS
from lowtide.paths import check_output_folder
from lowtide_studies.harness.options import CACHE, StudyOptions, study_options, target_option, typed_option
from lowtide_studies.network_revealing.trainings import IMAGES, QUICK, TRAININGS, training_of
from lowtide_studies.network_training.options import (
    epochs_option,
    images_option,
    networks_option,
    samples_option,
    text_option,
    width_option,
)
from lowtide_studies.term_revealing.revealed import Setting, settings

__all__ = ["command"]

GROUPS, BUDGETS, DATA_TERMS = (8, 32), (0.5, 0.75, 1, 1.5, 2, 3), (2, 3)
"""``g``, ``k / g`` and ``s`` of the settings."""

TUNED = tuple(
    Setting(encoding="hese", group=32, budget=budget, data_terms=terms) for budget, terms in ((16, 1), (16, 2), (24, 2))
)
"""Settings that are measured after fine-tuning."""

QUICK_GROUPS, QUICK_BUDGETS = (8,), (1, 2)

EXAMPLES = """\b
Examples:
  lowtide study network-revealing
  lowtide study network-revealing --quick
  lowtide study network-revealing --network resnet20 --seeds 3
  lowtide study network-revealing --network resnet8 --images my_images
  lowtide study network-revealing --network lstm,transformer --text book.txt
"""


@click.command("network-revealing", epilog=EXAMPLES)
@networks_option(TRAININGS, "perceptron,resnet8,lstm,transformer")
@click.option(
    "--encoding",
    "encodings",
    type=Names("encoding", ENCODINGS),
    default="hese,binary",
    show_default=True,
    help=f"Encodings of integers: of {', '.join(ENCODINGS)}.",
)
@typed_option(Whole("bits", range(4, 9)), 8, "Bits per integer.")
@images_option(None, shown="digits for the perceptron, otherwise glyphs")
@text_option
@epochs_option
@samples_option
@width_option
@typed_option(Whole("tuning", range(100001)), 0, "Steps of fine-tuning with kept terms.")
@click.option("--cells/--no-cells", default=True, help="Whether to synthesize elements and engines.")
@target_option
@study_options("network-revealing", seeds=2, quick="1 seed, 1 epoch of 640 samples, width 16, few settings, no cells")
def command(
    options: StudyOptions,
    networks: tuple[str, ...],
    encodings: tuple[str, ...],
    bits: int,
    images: str | None,
    text: str,
    tuning: int,
    cells: bool,
    target: str,
    **training: Any,
) -> None:
    """Measure term revealing on real networks.

    Each network is trained once per seed in FP32, and quantized to integers. Weights keep the k largest terms of each
    group of g, activations the s largest terms of each value. Losses are relative to plain quantization. Validation
    data select the setting with the fewest pairs that loses half a point of accuracy or 2 % of perplexity, and test
    data measure its loss. At this setting, cells times cycles of elements and of engines are compared with plain
    integers.
    """
    # Help needs no PyTorch.
    from lowtide_studies.network_revealing.engines import element_costs, engine_costs
    from lowtide_studies.network_revealing.report import plot, sentences, tables
    from lowtide_studies.network_revealing.study import CHECKPOINTS, run_study

    check_output_folder(CACHE)
    check_output_folder(CHECKPOINTS)
    seeds, chosen = options.seeds, list(settings(encodings, GROUPS, BUDGETS, DATA_TERMS))
    if options.quick:
        training, seeds, cells, tuning = training | QUICK, 1, False, 0
        chosen = list(settings(encodings, QUICK_GROUPS, QUICK_BUDGETS, DATA_TERMS))
    given = {key: value for key, value in training.items() if value is not None}
    runs = [training_of(network, given) for network in networks]
    sources = [text if run.text else images or IMAGES[run.network] for run in runs]
    runner = options.runner("network-revealing")
    results = run_study(
        list(zip(runs, sources, strict=True)),
        chosen,
        TUNED,
        seeds=range(seeds),
        width=bits,
        steps=tuning,
        runner=runner,
    )
    elements, engines = [], []
    if cells:
        points = {result.run.network: result.chosen() for result in results}
        best = {network: point.setting for network, point in points.items() if point is not None}
        shapes = {result.run.network: result.shapes for result in results}
        elements = element_costs(best, width=bits, target=target, runner=runner)
        engines = engine_costs(best, shapes, width=bits, target=target, runner=runner)
    options.report(
        settings={"seeds": list(range(seeds)), "bits": bits, "tuning": tuning, "target": target}
        | {"elements": [one.to_json() for one in elements], "engines": [one.to_json() for one in engines]},
        rows=[result.to_json() for result in results],
        tables=tables(results, elements, engines),
        sentences=sentences(results, engines),
        draw=lambda file: plot(results, file),
    )
