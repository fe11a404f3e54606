"""Reference of floating-point sums, in exact Python numbers, one at a time: slow and simple."""

from fractions import Fraction

from plain_bfp import floor_log2, power, round_nearest


def value(word, form):
    """Exact value of a word."""
    exponent, fraction = word >> form.fraction & (2**form.exponent - 1), word & (2**form.fraction - 1)
    magnitude = (1 + fraction / power(form.fraction)) * power(exponent - form.bias) if exponent else Fraction(0)
    return -magnitude if word >> form.width - 1 else magnitude


def nearest(x, bits):
    """A fraction rounded to ``bits`` significant bits, ties to even."""
    if x == 0:
        return x
    place = power(floor_log2(abs(x)) - bits + 1)
    return (1 if x > 0 else -1) * round_nearest(abs(x) / place) * place


def word_of(x, form):
    """The word of a fraction: rounded, +0 below the smallest normal number, saturated at the largest number."""
    rounded = nearest(x, form.fraction + 1)
    if abs(rounded) < power(1 - form.bias):
        return 0
    exponent = floor_log2(abs(rounded))
    if exponent + form.bias >= 2**form.exponent:
        magnitude = 2 ** (form.width - 1) - 1
    else:
        fraction = abs(rounded) * power(form.fraction - exponent) - 2**form.fraction
        magnitude = (exponent + form.bias << form.fraction) + int(fraction)
    return magnitude | (x < 0) << form.width - 1


def mac(a, b, c, operand, form):
    """The word of ``c + a * b``; the product is rounded first if it is wider than the sum's significand."""
    product = value(a, operand) * value(b, operand)
    if 2 * (operand.fraction + 1) > form.fraction + 1:
        product = nearest(product, form.fraction + 1)
    return word_of(value(c, form) + product, form)


def block_mac(a, b, exponents, c, magnitude, form):
    """The word of ``c`` and a dot product of signed integers."""
    dot = sum(x * y for x, y in zip(a, b, strict=True)) * power(exponents - 2 * 127 - 2 * (magnitude - 1))
    return word_of(value(c, form) + dot, form)
