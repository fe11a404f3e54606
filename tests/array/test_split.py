"""Split into powers of two, which bounds the number of distinct modules."""

import pytest

from lowtide.netlist.structure import power_of_two_split


@pytest.mark.parametrize("count", range(2, 513))
def test_parts_add_up_and_recur(count):
    first, second = power_of_two_split(count)
    assert first + second == count
    assert first >= second >= 1

    def parts(n):
        return {n} if n == 1 else {n, *parts(power_of_two_split(n)[0]), *parts(power_of_two_split(n)[1])}

    assert len(parts(count)) <= 2 * count.bit_length()
