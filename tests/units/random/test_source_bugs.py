"""Planted bugs of the random source: the comparison with the model catches each, and counting catches most."""

import attrs
import pytest
from test_random_source import PLATEAU, check, count_columns

from lowtide.units.random.lfsr import Lfsr
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource

SOURCE = RandomSourceParams(polarity="space", lanes=4, rows=True)


def with_shape(**methods):
    """Random source with changed parameters."""
    mutant = attrs.frozen(type("Mutant", (RandomSourceParams,), methods), kw_only=True)

    def make(shape):
        return RandomSource(mutant(**attrs.asdict(shape)))

    return make


class SeedOfZero(RandomSource):
    """Register that starts in the state zero, which it never leaves."""

    def _state(self, lfsr, seed):
        return [n % 2 for n in range(lfsr.length)]


def rewired(**ports):
    """Random source with constant ports."""

    class Rewired(RandomSource):
        def elaborate(self, platform):
            held, original = {name: getattr(self, name) for name in ports}, self.__dict__
            for name, make in ports.items():
                original[name] = make(self)
            m = super().elaborate(platform)
            original.update(held)
            return m

    return Rewired


BUGS = {
    "all lanes are inverted": with_shape(inverts=lambda self, lane: lane % 2 == 0),
    "no lane is inverted": with_shape(inverts=lambda self, lane: False),
    "all lanes have one phase": with_shape(phase=lambda self, lane: 0),
    "phases are one step off": with_shape(phase=lambda self, lane: lane // 2 + 1),
    "the toggle is stuck": with_shape(alternates=property(lambda self: False)),
    "the seed is one that locks up": SeedOfZero,
    "a stall is not minded": rewired(step=lambda self: self.row | 1),
    "rows are not minded": rewired(row=lambda self: self.row & 0),
    "every step ends a row": rewired(row=lambda self: self.row | 1),
}
COUNTED = ["the toggle is stuck", "the seed is one that locks up", "rows are not minded"]


def test_without_a_bug_the_test_passes():
    check(SOURCE, 300)


@pytest.mark.parametrize("bug", BUGS)
def test_the_comparison_with_the_machine_catches(bug):
    with pytest.raises(AssertionError):
        check(SOURCE, 300, BUGS[bug])


@pytest.mark.parametrize("bug", COUNTED)
def test_counting_the_words_of_columns_catches(bug):
    columns = count_columns(BUGS[bug](SOURCE), 14, 14)
    assert any(counts != PLATEAU for column in columns for counts in column)


def test_another_polynomial_is_another_sequence(monkeypatch):
    """Permuted bits of the feedback: a shorter or a reversed sequence."""
    feedback = Lfsr.feedback
    monkeypatch.setattr(Lfsr, "feedback", lambda self, state: feedback(self, [*state[1:2], *state[1:]]))
    with pytest.raises(AssertionError):
        check(SOURCE, 300)
