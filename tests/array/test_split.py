"""The cut in two, on which the number of distinct modules rests."""

import pytest

from lowtide.netlist.structure import halves


@pytest.mark.parametrize("count", range(2, 513))
def test_halves_are_whole_and_recur(count):
    first, second = halves(count)
    assert first + second == count
    assert first >= second >= 1

    def parts(n):
        return {n} if n == 1 else {n, *parts(halves(n)[0]), *parts(halves(n)[1])}

    assert len(parts(count)) <= 2 * count.bit_length()
