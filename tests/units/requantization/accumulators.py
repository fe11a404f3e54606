"""Accumulators and settings for the tests of requantizers, and results of the golden model."""

from lowtide_model.terms import requantize_data

__all__ = ["accumulator", "settings", "wanted", "words"]


def settings(shape, rng):
    """Random multiplier, shift, ReLU, and terms; often a multiplier that leaves ties, or an end of its range."""
    multiplier, kind = rng.getrandbits(shape.multiplier), rng.random()
    if kind < 0.1:
        multiplier = rng.choice((0, 1, (1 << shape.multiplier) - 1))
    elif kind < 0.4:
        multiplier = 1 << rng.randrange(shape.multiplier)
    return multiplier, rng.randint(0, shape.max_shift), rng.getrandbits(1), rng.randint(0, shape.most_terms)


def accumulator(shape, rng, multiplier, shift):
    """Random accumulator: at times an end of the range, often next to a half unit, where a result may saturate."""
    top, kind = shape.accumulator - 1, rng.random()
    if kind < 0.1:
        acc = rng.choice((-(1 << top), (1 << top) - 1, 0, 1, -1))
    elif kind < 0.6 and multiplier:
        halves = rng.choice((1, -1)) * (2 * rng.getrandbits(rng.randint(1, shape.width)) + rng.randint(-1, 1))
        acc = (halves << shift) // (2 * multiplier) + rng.choice((-1, 0, 0, 0, 1))
    else:
        acc = rng.choice((1, -1)) * rng.getrandbits(rng.randint(1, top))
    return max(-(1 << top), min(acc, (1 << top) - 1))


def words(shape, rng, count):
    """Random accumulators, each with its own settings."""
    for _ in range(count):
        multiplier, shift, relu, terms = settings(shape, rng)
        yield accumulator(shape, rng, multiplier, shift), multiplier, shift, relu, terms


def wanted(shape, accs, multiplier, shift, relu, terms):
    """Results of accumulators, and the number that saturate."""
    results, saturated = requantize_data(
        accs,
        multiplier=multiplier,
        shift=shift,
        width=shape.width,
        terms=terms,
        encoding=shape.encoding,
        relu=bool(relu),
    )
    return results.tolist(), saturated
