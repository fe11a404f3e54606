"""Training at equal area: cells of a multiply-accumulate unit times its cycles until training reaches an accuracy."""

from collections.abc import Callable, Mapping

import attrs
import numpy as np

from lowtide.formats.parameter import IllegalValue
from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.trainer import images_of
from lowtide_studies.equal_area.cells import CANDIDATES, REFERENCE, Candidate, Cells
from lowtide_studies.networks.arithmetic import Plain
from lowtide_studies.networks.digits import PIXELS
from lowtide_studies.networks.network import network
from lowtide_studies.networks.products import GradientRounding, Products
from lowtide_studies.precision_schedules.study import Comparison, Outcome

__all__ = ["Cost", "check_reference", "costs", "multiplications"]


@attrs.frozen(kw_only=True)
class Cost:
    """Cost of training to an accuracy, which some of the seeds reach.

    Parameters
    ----------
    cells : dict of str to Cells
        By FPGA family.
    cycles : float
        Cycles of one unit, mean over the seeds that reach the accuracy; NaN if no seed reaches it.
    error : float
        Standard error of ``cycles``; NaN for less than two seeds.
    """

    candidate: Candidate
    cells: Mapping[str, Cells]
    cycles: float
    error: float
    reached: int
    seeds: int

    def area_time(self, target: str, *, beside: bool) -> float:
        return self.cells[target].total(beside) * self.cycles

    def times(self, reference: "Cost", target: str, *, beside: bool) -> float:
        """Time relative to a reference, at equal area and equal clocks, with all units busy."""
        return self.area_time(target, beside=beside) / reference.area_time(target, beside=beside)

    def times_error(self, reference: "Cost", target: str, *, beside: bool) -> float:
        """Standard error of `times`, to first order, as if the cycles of both were independent."""
        if self is reference:
            return 0.0
        relative = np.hypot(self.error / self.cycles, reference.error / reference.cycles)
        return self.times(reference, target, beside=beside) * float(relative)


def check_reference(found: Comparison, accuracy: float) -> None:
    """Raise `IllegalValue` for schedules without the reference, and for an accuracy that no seed of it reaches."""
    if REFERENCE not in found.outcomes:
        raise IllegalValue("schedules", f"a list with {REFERENCE}", ", ".join(found.outcomes))
    _, _, reached = found.reached(REFERENCE, lambda outcome: outcome.steps_to(accuracy))
    if not reached:
        raise IllegalValue("accuracy", f"one that {REFERENCE} reaches", f"{100 * accuracy:g} %")


def costs(found: Comparison, cells: Mapping[str, Mapping[str, Cells]], accuracy: float) -> list[Cost]:
    """Costs of all candidates whose schedules were compared; the first is the reference.

    `check_reference` accepts the comparison. Cells are given by the names of candidates and FPGA families.
    """
    rows = []
    for candidate in CANDIDATES:
        if candidate.schedule in found.outcomes:
            cycles, error, reached = found.reached(candidate.schedule, _cycles_to(candidate, found, accuracy))
            rows.append(
                Cost(
                    candidate=candidate,
                    cells=cells[candidate.name],
                    cycles=cycles,
                    error=error,
                    reached=reached,
                    seeds=len(found.seeds),
                )
            )
    return rows


def _cycles_to(candidate: Candidate, found: Comparison, accuracy: float) -> Callable[[Outcome], int | None]:
    """Function that counts the cycles of a candidate in an outcome."""
    groups = found.outcomes[REFERENCE][0].pairs  # equal for all schedules and seeds

    def cycles(outcome: Outcome) -> int | None:
        steps = outcome.steps_to(accuracy)
        if steps is None:
            return None
        if candidate.cycle == "chunks":
            return sum(outcome.beats[:steps])
        if candidate.cycle == "groups":
            return sum(groups[:steps])
        return multiplications(found.runs[candidate.schedule], steps)

    return cycles


def multiplications(run: Run, steps: int) -> int:
    """Scalar multiplications in the first steps of a run: ``M * N * K`` per product of matrices.

    The last step of a pass over the images takes the remaining images.
    """
    learnt = len(images_of(run)[0])
    passes, begun = divmod(steps, -(-learnt // run.batch))
    return _of_an_image(run.network) * (passes * learnt + begun * run.batch)


def _of_an_image(name: str) -> int:
    """Multiplications per image: each row of a product belongs to one image, or the product sums over images."""
    counted = []

    class Counting(Plain):
        def multiply(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
            counted.append(a.shape[0] * a.shape[1] * b.shape[1])
            return a @ b

    products = Products(Counting(), GradientRounding("nearest"))
    network(name, 0).gradients(np.zeros((1, PIXELS), np.float32), np.zeros(1, int), products)
    return sum(counted)
