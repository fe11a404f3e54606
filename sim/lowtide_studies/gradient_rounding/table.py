"""A study as tables, for a terminal."""

from collections.abc import Iterator

from rich.table import Table

from lowtide_studies.gradient_rounding.study import Study
from lowtide_studies.gradient_rounding.verdict import signed
from lowtide_studies.harness.statistics import Difference
from lowtide_studies.networks.named_rounding import IDEAL, NAMED

__all__ = ["tables"]

COLUMNS = (
    "Accuracy\n%",
    "Lowest to\nhighest",
    "Minus ideal,\npaired",
    "in s.e.",
    "Training\nloss",
    "Minus ideal\nin s.e.",
)


def tables(study: Study) -> Iterator[Table]:
    """One table a setting, a row a rounding: means and standard errors over the seeds."""
    for name, setting in study.settings.items():
        schedule = "falling to zero" if setting.decays else "constant"
        steps = f"{setting.epochs} epochs, batches of {setting.batch}, rate {setting.rate:g}, {schedule}"
        seeds = f"{len(study.seeds)} seed{'s' if len(study.seeds) > 1 else ''}"
        table = Table(title=f"{name}: {setting.meaning}\n{steps}, {seeds}", title_justify="left", title_style="bold")
        table.add_column("Gradients rounded")
        for column in COLUMNS:
            table.add_column(column, justify="right")
        table.add_column("How")
        for rounding in study.roundings:
            table.add_row(rounding, *_row(study, name, rounding), NAMED[rounding].meaning, style=_style(rounding))
        yield table


def _row(study: Study, setting: str, rounding: str) -> tuple[str, ...]:
    accuracy, loss = study.accuracy(setting, rounding), study.loss(setting, rounding)
    difference = study.difference(setting, rounding)
    return (
        f"{accuracy.mean:.2f} ± {accuracy.error:.2f}",
        f"{accuracy.lowest:.2f} to {accuracy.highest:.2f}",
        "" if difference is None or rounding == IDEAL else f"{signed(difference.mean)} ± {difference.error:.2f}",
        _errors(difference, rounding),
        f"{loss.mean:.4f} ± {loss.error:.4f}",
        _errors(study.loss_difference(setting, rounding), rounding),
    )


def _errors(difference: Difference | None, rounding: str) -> str:
    return "" if difference is None or rounding == IDEAL else signed(difference.errors, 1)


def _style(rounding: str) -> str:
    return "bold" if rounding == IDEAL else ""
