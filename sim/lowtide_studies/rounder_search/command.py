"""``lowtide study rounder-search``."""

import time

import click
import optuna

from lowtide.cli.options import Whole
from lowtide.cli.progress import progress_bar
from lowtide_studies.harness.options import CACHE, StudyOptions, study_options, target_option, typed_option
from lowtide_studies.networks.training import final_accuracy
from lowtide_studies.rounder_search.accuracy import accuracies
from lowtide_studies.rounder_search.report import front_of_area_and_bias, plot, sentence, to_plain, to_table
from lowtide_studies.rounder_search.search import open_search, search, tried

__all__ = ["command"]

QUICK_TRIALS = 8

EXAMPLES = """\b
Examples:
  lowtide study rounder-search
  lowtide study rounder-search --trials 400 --target ecp5
  lowtide study rounder-search --storage /net/shared/rounders.journal --sampler-seed 2
"""


@click.command("rounder-search", epilog=EXAMPLES)
@target_option
@typed_option(Whole("trials", range(1, 10**6 + 1)), 240, "Finished trials of the study, earlier trials included.")
@typed_option(Whole("sampler-seed", range(2**32)), 1, "Seed of the sampler.")
@click.option("--rows", is_flag=True, help="Generators with row ends, which need a second register.")
@study_options("rounder-search", seeds=0, least_seeds=0, quick=f"{QUICK_TRIALS} trials")
def command(options: StudyOptions, target: str, trials: int, sampler_seed: int, rows: bool) -> None:
    """Search for small, unbiased stochastic rounders.

    Designs differ in generator, taps, word width, lanes per generator, and in rule and width of the rounder. The
    objectives are cells per rounder from synthesis, and bias and correlation, which are counted exactly. With --seeds,
    a network is trained with each printed design. The storage keeps all trials: an interrupted search resumes, and
    several searches may share one study.
    """
    study = open_search(options.storage, f"rounder-search-{target}{'-rows' * rows}")
    trials = min(trials, QUICK_TRIALS) if options.quick else trials
    _search(study, options, trials, seed=sampler_seed, target=target, rows=rows)
    designs, trained = tried(study, rows=rows), {}
    if options.seeds:
        best = front_of_area_and_bias(designs)
        chosen = best + [one for one in designs if one.baseline and one not in best]
        runner = options.runner("rounder-search-training")
        trained = accuracies(chosen, final_accuracy, seeds=range(1, options.seeds + 1), runner=runner)
    options.report(
        settings={"target": target, "trials": trials, "sampler_seed": sampler_seed, "rows": rows},
        rows=to_plain(designs, trained),
        tables=[to_table(designs, target, trained)],
        sentences=[sentence(designs)],
        draw=lambda file: plot(designs, target, file),
    )


def _search(study: optuna.Study, options: StudyOptions, trials: int, *, seed: int, target: str, rows: bool) -> None:
    """Search, and report the speed on standard error."""
    started, counts = time.perf_counter(), []
    with progress_bar(quiet=options.quiet) as progress:
        task = progress.add_task(f"Trials on {target}", total=trials)

        def update(done: int) -> None:
            if counts:
                progress.update(task, completed=done, item=f"{time.perf_counter() - started:.1f} s")
            counts.append(done)

        search(
            study,
            trials=trials,
            jobs=options.processes,
            seed=seed,
            target=target,
            rows=rows,
            cache=CACHE,
            progress=update,
        )
    measured, minutes = counts[-1] - counts[0], (time.perf_counter() - started) / 60
    if measured and not options.quiet:
        speed = f"{measured / minutes:.0f} per minute in {options.processes} processes"
        click.echo(f"{measured} trials in {60 * minutes:.0f} s, {speed}", err=True)
