"""Reference of term revealing, one value at a time, in Python integers: slow, and written from the definitions."""

from itertools import combinations, product

__all__ = ["booth", "fewest_terms", "hese", "keep", "revealed"]


def hese(n):
    """The only digits without two neighbors: each odd remainder gets the digit that leaves a multiple of 4."""
    digits = []
    while n:
        digit = 0 if n % 2 == 0 else 2 - n % 4
        digits.append(digit)
        n = (n - digit) // 2
    return digits


def booth(n):
    """Radix 4, one term per digit: a remainder of 2 modulo 4 gives -2, and a remainder of 3 gives -1."""
    digits = []
    carry = 0
    while n or carry:
        rest = n % 4
        digit = rest + carry
        carry = int(rest >= 2)
        digit -= 4 * carry
        digits += {-2: [0, -1], -1: [-1, 0], 0: [0, 0], 1: [1, 0], 2: [0, 1]}[digit]
        n //= 4
    return digits


def binary(n):
    """The bits."""
    return [int(bit) for bit in reversed(f"{n:b}")]


ENCODE = {"binary": binary, "booth": booth, "hese": hese}


def fewest_terms(limit, positions):
    """For each value below ``limit``, the fewest signed powers of two below ``2**positions`` that it is a sum of."""
    fewest = {}
    for count in range(positions + 1):
        for places in combinations(range(positions), count):
            for signs in product((1, -1), repeat=count):
                value = sum(sign << place for sign, place in zip(signs, places, strict=True))
                if 0 <= value < limit:
                    fewest.setdefault(value, count)
        if len(fewest) == limit:
            break
    return [fewest[value] for value in range(limit)]


def keep(values, k, encoding="hese"):
    """The kept terms of a group as (exponent, index, sign): sorted and truncated."""
    terms = []
    for index, value in enumerate(values):
        sign = -1 if value < 0 else 1
        terms += [(e, index, sign * digit) for e, digit in enumerate(ENCODE[encoding](abs(value))) if digit]
    return sorted(terms, key=lambda term: (-term[0], term[1]))[:k]


def revealed(values, k, encoding="hese"):
    """The revealed values of a group."""
    left = [0] * len(values)
    for exponent, index, sign in keep(values, k, encoding):
        left[index] += sign << exponent
    return left
