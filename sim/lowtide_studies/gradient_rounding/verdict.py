"""What a study found, in sentences."""

from collections.abc import Iterator

from lowtide_studies.gradient_rounding.study import Study
from lowtide_studies.harness.statistics import Difference
from lowtide_studies.networks.named_rounding import BASELINE, IDEAL, PLATEAU

__all__ = ["CLEAR", "FEWEST", "sentences", "signed"]

CLEAR = 3
"""Standard errors from which on a difference is called clear: by chance it is rare, even among many."""

FEWEST = 5
"""Seeds below which nothing is said: of so few, the standard error itself is hardly known."""


def sentences(study: Study) -> Iterator[str]:
    """For each setting, what differs from ideal rounding and what does not, by how many standard errors."""
    if IDEAL not in study.roundings or len(study.seeds) < FEWEST:
        yield f"No verdict: that takes ideal rounding and {FEWEST} seeds or more."
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


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, a true minus; what rounds to zero has a plus."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")
