"""Words that are drawn independently, against the rule of the half step and against the generators' words."""

from collections import Counter

import numpy as np
import pytest

from lowtide_model import Stochastic, quantize
from lowtide_model.random_source import words
from lowtide_studies.networks.roundings import NAMED, Drawn


@pytest.mark.parametrize("word", range(8))
def test_a_word_decides_by_the_rule(word):
    """All fractions in 64ths, of both signs; the first number sets the exponent."""
    padded = np.zeros((9, 16), np.float32)
    padded[:, 0] = 12
    padded[:, 1:].flat[:128] = [*np.arange(64) / 64 + 3, *-np.arange(64) / 64 - 5]
    rounding = Drawn(words=(word,), generator=np.random.default_rng(0))
    found = quantize(padded, mantissa=4, exponent=5, rounding=rounding).signed
    for value, signed in zip(padded.ravel(), found.ravel(), strict=True):
        below, sixteenths = int(abs(value)), int(abs(value) % 1 * 16)
        assert abs(signed) == below + (sixteenths + 2 * word + 1 >= 16)
        assert signed * value >= 0


@pytest.mark.parametrize(
    ("drawn", "generated", "period"), [("plateau-drawn", "plateau-space", 7), ("uniform-drawn", "uniform", 8)]
)
def test_words_have_the_frequencies_of_a_generator(drawn, generated, period):
    """All words of all lanes in a period of the generator, and the list from which words are drawn."""
    rounding = NAMED[generated].make(0)
    assert isinstance(rounding, Stochastic)
    steps = np.arange(period)[:, np.newaxis]
    generators = [words(source, steps, np.arange(source.lanes)) for source in rounding.source]
    expected = Counter(np.concatenate(generators, axis=1).ravel().tolist())
    other = NAMED[drawn].make(0)
    assert isinstance(other, Drawn)
    found = Counter(other.words)
    assert {word: count * expected.total() for word, count in found.items()} == {
        word: count * found.total() for word, count in expected.items()
    }


def test_draws_are_independent_and_differ_by_the_seed():
    x = np.full((500, 16), 8.5, np.float32)  # with three bits of a magnitude: a fraction of 1/4
    x[:, 0] = 15
    ups = []
    for seed in (0, 0, 1):
        rounding = NAMED["plateau-drawn"].make(seed)
        assert rounding is not None
        found = quantize(x, mantissa=3, exponent=5, rounding=rounding).signed
        ups.append(found[:, 1:] == 5)
    assert (ups[0] == ups[1]).all()
    assert (ups[0] != ups[2]).any()
    up = ups[0].astype(float) - ups[0].mean()
    for shift in range(1, 15):
        assert abs((up[:, shift:] * up[:, :-shift]).mean()) < 5 * up.var() / np.sqrt(up[:, shift:].size)
        assert abs((up[shift:] * up[:-shift]).mean()) < 5 * up.var() / np.sqrt(up[shift:].size)
