"""Table of a run."""

from rich.table import Table

from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.summary import beats_per_pair, cycles, high_shares
from lowtide_studies.engine_training.trainer import Trained

__all__ = ["run_table", "run_title"]


def run_title(run: Run, engine: str) -> str:
    """Title of a run."""
    options = ", ".join(f"{key} = {value:g}" for key, value in run.options.items())
    schedule = f"{run.schedule} ({options})" if options else run.schedule
    return f"{run.network}, {schedule}: {run.steps} steps of {run.batch} images, seed {run.seed}, {engine}"


def run_table(run: Run, trained: Trained, engine: str) -> Table:
    """Results of a run."""
    table = Table(title=run_title(run, engine), title_justify="left", title_style="bold", show_header=False)
    table.add_column("")
    table.add_column("", justify="right", overflow="fold")
    images = "validation images" if run.validation else "held-out images"
    table.add_row(f"Accuracy on {images}", f"{100 * trained.accuracy:.2f} %")
    table.add_row("Loss on training images", f"{trained.loss:.4f}")
    for kind, share in high_shares(trained.steps).items():
        table.add_row(f"Two chunks: {kind}", f"{100 * share:.0f} %")
    beats = beats_per_pair(trained.steps)
    if beats is not None:
        table.add_row("Beats per pair of groups, from 1 to 4", f"{beats:.2f}")
    count = cycles(trained.steps)
    if count is not None:
        table.add_row("Cycles of the engine", f"{count:,}")
    table.add_row("SHA-256 of the weights", trained.sha256)
    return table
