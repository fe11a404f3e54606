"""Taps of maximal-length sequences, and a test for maximal length."""

from collections.abc import Sequence

__all__ = ["TAPS", "is_maximal", "polynomial"]

TAPS: dict[int, tuple[int, ...]] = {
    2: (2, 1),
    3: (3, 1),
    4: (4, 1),
    5: (5, 2),
    6: (6, 1),
    7: (7, 1),
    8: (8, 4, 3, 2),
    9: (9, 4),
    10: (10, 3),
    11: (11, 2),
    12: (12, 6, 4, 1),
    13: (13, 4, 3, 1),
    14: (14, 5, 3, 1),
    15: (15, 1),
    16: (16, 5, 3, 2),
    17: (17, 3),
    18: (18, 7),
    19: (19, 5, 2, 1),
    20: (20, 3),
    21: (21, 2),
    22: (22, 1),
    23: (23, 5),
    24: (24, 4, 3, 1),
    25: (25, 3),
    26: (26, 6, 2, 1),
    27: (27, 5, 2, 1),
    28: (28, 3),
    29: (29, 2),
    30: (30, 6, 4, 1),
    31: (31, 3),
    32: (32, 7, 6, 2),
}
"""Default taps by the bits of the generator: exponents of its polynomial without the constant term, the largest first.

Two taps if possible, otherwise four, and the lowest possible exponents: the lower the second tap, the more bits ahead
of the state are one XOR away from it.
"""


def polynomial(taps: Sequence[int]) -> int:
    """Return the polynomial over GF(2) of the taps, ``1 + sum x**tap``, as an integer whose bit i is ``x**i``."""
    value = 1
    for tap in taps:
        value ^= 1 << tap
    return value


def is_maximal(taps: Sequence[int]) -> bool:
    """Whether the sequence has the maximal period ``2**bits - 1``, where ``bits`` is the first tap.

    The period is the order of x modulo the polynomial: ``x**(2**bits - 1)`` must be 1, and no power of x by a maximal
    proper divisor of the exponent may be 1.
    """
    modulus, period = polynomial(taps), 2 ** taps[0] - 1
    divisors = [period // prime for prime in _prime_factors(period)]
    return _power_of_x(period, modulus) == 1 and all(_power_of_x(divisor, modulus) != 1 for divisor in divisors)


def _power_of_x(exponent: int, modulus: int) -> int:
    """Return ``x**exponent`` modulo a polynomial, by squaring."""
    power = 1
    for bit in f"{exponent:b}":
        power = _product(power, power, modulus)
        if bit == "1":
            power = _product(power, 0b10, modulus)
    return power


def _product(a: int, b: int, modulus: int) -> int:
    """Return the product of two polynomials modulo a third."""
    product = 0
    for bit in f"{b:b}":
        product <<= 1
        if product.bit_length() == modulus.bit_length():
            product ^= modulus
        if bit == "1":
            product ^= a
    return product


def _prime_factors(number: int) -> set[int]:
    factors, divisor = set(), 2
    while divisor**2 <= number:
        if number % divisor:
            divisor += 1
        else:
            factors.add(divisor)
            number //= divisor
    return factors | {number} - {1}
