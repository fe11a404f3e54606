"""Table of taps, checked independently of the table's own arithmetic."""

import pytest

from lowtide.units.random.taps import TAPS, is_maximal, polynomial

# Multiplication and a second division check the factors of 2**n - 1 that trial division finds.


def prime_factors(number):
    """Prime factors with their multiplicities, by trial division."""
    factors, divisor = [], 2
    while number > 1:
        if divisor * divisor > number:
            divisor = number
        if number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        else:
            divisor += 1
    return factors


def step_matrix(taps):
    """Step of a register whose new bit is the sum of the bits at the taps: a companion matrix, as rows of bits."""
    bits = taps[0]
    rows = [1 << row + 1 for row in range(bits - 1)]
    return [*rows, sum(1 << tap for tap in taps[1:]) | 1]


def times(a, b):
    """Product of two matrices over GF(2), each a list of rows."""
    return [row_times(row, b) for row in a]


def row_times(row, matrix):
    total = 0
    for column, other in enumerate(matrix):
        if row >> column & 1:
            total ^= other
    return total


def power(matrix, exponent):
    result = [1 << row for row in range(len(matrix))]
    while exponent:
        if exponent & 1:
            result = times(result, matrix)
        matrix, exponent = times(matrix, matrix), exponent >> 1
    return result


def order_is_full(taps):
    """Whether the step's order is 2**n - 1, so that every state but zero is on one cycle."""
    bits, matrix = taps[0], step_matrix(taps)
    identity = [1 << row for row in range(bits)]
    period = 2**bits - 1
    if power(matrix, period) != identity:
        return False
    return all(power(matrix, period // prime) != identity for prime in set(prime_factors(period)))


@pytest.mark.parametrize("bits", range(2, 33))
def test_factors_multiply_to_the_period_and_are_prime(bits):
    factors, product = prime_factors(2**bits - 1), 1
    for factor in factors:
        product *= factor
        assert all(factor % divisor for divisor in range(2, int(factor**0.5) + 1))
    assert product == 2**bits - 1


@pytest.mark.parametrize("bits", range(2, 33))
def test_every_entry_is_primitive(bits):
    taps = TAPS[bits]
    assert taps[0] == bits
    assert list(taps) == sorted(set(taps), reverse=True)
    assert order_is_full(taps)


def walked(taps):
    """Number of steps until the state 1 recurs, one by one."""
    state, steps, bits = 1, 0, taps[0]
    while True:
        new = sum(state >> tap for tap in (0, *taps[1:])) & 1
        state = state >> 1 | new << bits - 1
        steps += 1
        if state == 1:
            return steps


@pytest.mark.parametrize("bits", range(2, 17))
def test_the_whole_period_by_steps(bits):
    assert walked(TAPS[bits]) == 2**bits - 1


@pytest.mark.slow
@pytest.mark.parametrize("bits", range(17, 23))
def test_the_whole_period_of_longer_registers_by_steps(bits):
    assert walked(TAPS[bits]) == 2**bits - 1


def test_all_polynomials_of_up_to_nine_bits():
    """`is_maximal` accepts exactly the phi(2**n - 1) / n primitive polynomials."""
    for bits, count in ((2, 1), (3, 2), (4, 2), (5, 6), (6, 6), (7, 18), (8, 16), (9, 48)):
        accepted = 0
        for inner in range(2 ** (bits - 1)):
            taps = (bits, *(tap for tap in range(bits - 1, 0, -1) if inner >> tap - 1 & 1))
            assert is_maximal(taps) == order_is_full(taps) == (walked(taps) == 2**bits - 1), taps
            accepted += is_maximal(taps)
        assert accepted == count


def test_taps_are_the_least_of_two_or_four():
    """The table prefers few taps, then low exponents."""
    for bits, taps in TAPS.items():
        pairs = [(bits, tap) for tap in range(1, bits)]
        first = next((pair for pair in pairs if is_maximal(pair)), None)
        if first:
            assert taps == first
        else:
            assert len(taps) == 4
            low = [
                (bits, a, b, c)
                for a in range(3, taps[1] + 1)
                for b in range(2, a)
                for c in range(1, b)
                if is_maximal((bits, a, b, c))
            ]
            assert taps == low[0]


def test_polynomial_spells_its_exponents():
    assert polynomial((3, 1)) == 0b1011
