"""Second stage: tensors are rounded by a design as its rounders decide."""

import numpy as np
import pytest
from designs import design

from lowtide_model import rounds_up
from lowtide_model.random_source import SteppingSource
from lowtide_model.rounding import Grouped
from lowtide_studies.rounder_search.accuracy import accuracies, rounding_of
from lowtide_studies.rounder_search.figures import Figures
from lowtide_studies.rounder_search.search import Tried


@pytest.mark.parametrize(("mode", "fraction"), [("carry", 2), ("carry", 3), ("half_step", 2), ("half_step", 4)])
def test_rounds_as_the_hardware_does(mode, fraction):
    tested = design(5, width=3, lanes=4, apart=3, mode=mode, fraction=fraction)
    exact = np.random.default_rng(3).integers(-(2**20), 2**20, (50, 16, 1))
    values = exact / 2**16
    rounding = rounding_of(tested).on(Grouped((50, 16, 1), 50, 4))
    values = rounding.function(np.ldexp(values, rounding.fraction), slice(0, 50))
    sources = [SteppingSource(source) for source in tested.sources]
    for group, rounded in zip(exact[..., 0], values[..., 0], strict=True):
        words = [word for source in sources for word in source.words()]
        given = np.abs(group) >> 16 - fraction
        up = rounds_up(given, mode=mode, fraction=fraction, random=words, random_bits=3)
        np.testing.assert_array_equal(rounded, np.sign(group) * ((np.abs(group) >> 16) + up))
        for source in sources:
            source.step()


def test_accuracy_is_the_mean_of_the_seeds():
    figures = Figures(cells=1, luts=1, ffs=1, mean_bias=0, worst_bias=0, lag=0, lane=0)
    designs = [Tried(number, design(3, fraction=number), figures) for number in (1, 3)]
    found = accuracies(designs, lambda rounding, *, seed: 10 * rounding.fraction + seed, seeds=[1, 2, 6])
    assert found == {1: 13, 3: 33}
