"""The cut in two, on which the number of distinct modules rests."""

import pytest

from lowtide.netlist.structure import power_of_two_split


@pytest.mark.parametrize("count", range(2, 513))
def test_split_is_recursive(count):
    first, second = power_of_two_split(count)
    assert first + second == count
    assert first >= second >= 1

    def parts(n):
        return {n} if n == 1 else {n, *parts(power_of_two_split(n)[0]), *parts(power_of_two_split(n)[1])}

    assert len(parts(count)) <= 2 * count.bit_length()
