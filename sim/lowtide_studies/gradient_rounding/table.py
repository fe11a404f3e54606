"""Tables and sentences of the study."""

from collections.abc import Iterator

from rich.table import Table

from lowtide_studies.gradient_rounding.study import Study
from lowtide_studies.harness.statistics import Difference, mean_and_error, signed
from lowtide_studies.harness.tables import new_table
from lowtide_studies.networks.named_rounding import BASELINE, IDEAL, NAMED, PLATEAU

__all__ = ["CLEAR", "FEWEST", "sentences", "tables"]

CLEAR = 3
"""Standard errors above which a difference is called clear: by chance it is rare, even among many comparisons."""

FEWEST = 5
"""Fewest seeds for a verdict: with fewer seeds the standard error itself is uncertain."""

COLUMNS = (
    "Accuracy\n%",
    "Lowest to\nhighest",
    "Minus ideal,\npaired",
    "in s.e.",
    "Training\nloss",
    "Minus ideal\nin s.e.",
)


def tables(study: Study) -> Iterator[Table]:
    """One table per setting, one row per rounding: means and standard errors over the seeds."""
    for name, setting in study.settings.items():
        schedule = "falling to zero" if setting.decays else "constant"
        steps = f"{setting.epochs} epochs, batches of {setting.batch}, rate {setting.rate:g}, {schedule}"
        seeds = f"{len(study.seeds)} seed{'s' if len(study.seeds) > 1 else ''}"
        table = new_table(f"{name}: {setting.meaning}\n{steps}, {seeds}", ("Rounding",), COLUMNS)
        table.add_column("Meaning")
        for rounding in study.roundings:
            style = "bold" if rounding == IDEAL else ""
            table.add_row(rounding, *_row(study, name, rounding), NAMED[rounding].meaning, style=style)
        yield table


def _row(study: Study, setting: str, rounding: str) -> tuple[str, ...]:
    accuracy, loss = study.accuracy(setting, rounding), study.loss(setting, rounding)
    difference, loss_difference = study.difference(setting, rounding), study.loss_difference(setting, rounding)
    if rounding == IDEAL:
        difference = loss_difference = None
    return (
        mean_and_error(accuracy),
        f"{accuracy.lowest:.2f} to {accuracy.highest:.2f}",
        "" if difference is None else f"{signed(difference.mean)} ± {difference.error:.2f}",
        "" if difference is None else signed(difference.errors, 1),
        f"{loss.mean:.4f} ± {loss.error:.4f}",
        "" if loss_difference is None else signed(loss_difference.errors, 1),
    )


def sentences(study: Study) -> Iterator[str]:
    """For each setting, the roundings that differ from ideal rounding, in standard errors."""
    if IDEAL not in study.roundings or len(study.seeds) < FEWEST:
        yield f"No verdict: a verdict needs ideal rounding and {FEWEST} seeds or more."
        return
    for setting in study.settings:
        yield f"{setting}: {'; '.join([*_plateau(study, setting), _others(study, setting)])}."


def _plateau(study: Study, setting: str) -> Iterator[str]:
    for rounding in PLATEAU:
        difference = study.difference(setting, rounding) if rounding in study.roundings else None
        if difference is not None:
            within = "within" if difference.within_one else "not within"
            yield f"{rounding} is {_text(difference)} from ideal, {within} one standard error"


def _others(study: Study, setting: str) -> str:
    clear = []
    for rounding in study.roundings:
        difference = study.difference(setting, rounding)
        if rounding not in (BASELINE, IDEAL) and difference is not None and abs(difference.errors) >= CLEAR:
            clear.append(f"{rounding} ({_text(difference)})")
    if not clear:
        return f"no rounding differs from ideal by {CLEAR} standard errors"
    return f"{CLEAR} standard errors or more from ideal: {', '.join(clear)}"


def _text(difference: Difference) -> str:
    return f"{signed(difference.mean)} ± {difference.error:.2f} points ({signed(difference.errors, 1)} s.e.)"
