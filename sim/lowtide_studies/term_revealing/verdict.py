"""What a study of term revealing found, in sentences."""

from collections.abc import Iterator

from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.term_revealing.choice import ALLOWED, cheapest
from lowtide_studies.term_revealing.study import Study

__all__ = ["sentences", "text"]


def sentences(study: Study) -> Iterator[str]:
    """For each network and width, how many times fewer pairs, and at what loss."""
    for sweep in study.sweeps:
        what = f"{sweep.network}, {sweep.width} bits"
        point = cheapest(sweep)
        if point is None:
            yield f"{what}: no setting loses {ALLOWED} points or less on validation images."
            continue
        yield (
            f"{what}: {point.setting} takes {sweep.times_fewer(point):.1f} times fewer pairs than all bits, "
            f"{sweep.times_fewer_present(point):.1f} times fewer than the bits really there, and loses "
            f"{text(sweep.loss(point))} points of held-out images."
        )


def text(figures: Summary | Difference) -> str:
    """A mean with its standard error and a true minus; what rounds to zero has no sign."""
    return f"{round(figures.mean, 2) + 0.0:.2f} ± {figures.error:.2f}".replace("-", "−")
