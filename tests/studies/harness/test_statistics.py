"""Means, errors and differences, by hand; and the sentences made of them."""

import math

import attrs
import pytest

from lowtide_studies.gradient_rounding.report import sentences
from lowtide_studies.gradient_rounding.study import Study
from lowtide_studies.harness.options import without_nan
from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.harness.tables import signed
from lowtide_studies.networks.training import SETTINGS, Trained


def test_summary():
    summary = Summary.of([1, 2, 3, 6])
    # Squares of the deviations: 4, 1, 0, 9; over 3 and over 4.
    assert (summary.mean, summary.lowest, summary.highest) == (3, 1, 6)
    assert summary.error == pytest.approx(math.sqrt(14 / 12))


def test_one_seed_has_no_error():
    assert math.isnan(Summary.of([5]).error)
    assert math.isnan(Difference.of([5], [4]).error)


def test_pairing_takes_out_what_seeds_have_in_common():
    difference = Difference.of([11, 21, 32], [10, 20, 30])
    assert difference.mean == pytest.approx(4 / 3)
    assert difference.error == pytest.approx(1 / 3)
    assert difference.unpaired > 5
    assert difference.errors == pytest.approx(4)
    assert not difference.within_one


@pytest.mark.parametrize(
    ("values", "within"), [([1.0, 3.0], False), ([-1.0, 1.5], True), ([0.0, 0.0], True), ([0.5, 0.5], False)]
)
def test_within_one_standard_error(values, within):
    assert Difference.of(values, [0.0, 0.0]).within_one is within


def study(**accuracies):
    """A study of one setting whose runs have these accuracies."""
    runs = {
        ("small-steps", name.replace("_", "-")): [Trained(accuracy=a, loss=1.0, losses=[1.0]) for a in values]
        for name, values in accuracies.items()
    }
    names = tuple(name for _, name in runs)
    seeds = tuple(range(len(next(iter(runs.values())))))
    return Study(settings={"small-steps": SETTINGS["small-steps"]}, roundings=names, seeds=seeds, runs=runs)


def test_sentence_says_what_differs_and_what_does_not():
    found = study(
        nearest=[0.80, 0.81, 0.82, 0.83, 0.84],
        ideal=[0.90, 0.92, 0.92, 0.93, 0.95],
        plateau_space=[0.91, 0.91, 0.92, 0.94, 0.94],
    )
    assert list(sentences(found)) == [
        "small-steps: plateau-space is +0.00 ± 0.45 points (+0.0 s.e.) from ideal, within one standard error;"
        " 3 standard errors or more from ideal: nearest (−10.40 ± 0.24 points (−42.5 s.e.))."
    ]


def test_sentence_admits_a_difference_of_plateau():
    found = study(ideal=[0.9, 0.9, 0.9, 0.9, 0.9], plateau_time=[0.89, 0.9, 0.89, 0.9, 0.89])
    assert list(sentences(found)) == [
        "small-steps: plateau-time is −0.60 ± 0.24 points (−2.4 s.e.) from ideal, not within one standard error;"
        " no rounding differs from ideal by 3 standard errors."
    ]


def test_few_seeds_give_no_verdict():
    assert list(sentences(study(ideal=[0.9], plateau_space=[0.9]))) == [
        "No verdict: a verdict needs ideal rounding and 5 seeds or more."
    ]


def test_figures_without_an_error_are_legal_json():
    result = without_nan(study(ideal=[0.9]).rows()[0])
    assert result["accuracy"] == {"mean": 90, "error": None, "lowest": 90, "highest": 90}
    assert result["runs"] == [attrs.asdict(Trained(accuracy=0.9, loss=1.0, losses=[1.0]))]


def test_signs():
    values = [signed(-0.125, 1), signed(0.5), signed(-1e-15), signed(float("nan"), 1)]
    assert values == ["−0.1", "+0.50", "+0.00", "+nan"]
