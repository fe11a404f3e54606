"""Conversion in float64 without blocks or tables: fractions, a decision per element, and one word per element."""

import numpy as np

from lowtide_model import Ideal, OneWord, Stochastic, words


def convert(x, *, mantissa, exponent, group, axis, bias, rounding):
    """Signed magnitudes, codes, bias, and counts of saturated groups, saturated elements and nonfinite elements."""
    rows = np.moveaxis(np.asarray(x, np.float64), axis, -1)
    nonfinite = int(np.count_nonzero(~np.isfinite(rows)))
    rows = np.where(np.isnan(rows) | (np.abs(rows) < 2.0**-126), 0, rows)
    missing = -rows.shape[-1] % group
    rows = np.pad(rows, [(0, 0)] * (rows.ndim - 1) + [(0, missing)])
    groups = rows.reshape(*rows.shape[:-1], -1, group)
    sizes = np.abs(groups).max(axis=-1, initial=0)
    largest = np.where(np.isinf(sizes), 128, np.frexp(np.where(np.isinf(sizes), 1, sizes))[1] - 1)
    top = 2**exponent - 1
    if bias is None:
        bias = int(largest[sizes > 0].max()) - top if sizes.any() else 0
    above = np.where(sizes > 0, largest - bias, 0)
    codes = np.clip(above, 0, top)
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.abs(groups) * np.exp2((mantissa - 1 - bias - codes)[..., np.newaxis].astype(np.float64))
    scaled = np.minimum(scaled, 2.0**20)
    rounded = np.floor(scaled) + rounds_up(scaled - np.floor(scaled), np.floor(scaled), rounding, axis)
    signed = np.copysign(np.minimum(rounded, 2**mantissa - 1), groups).astype(int)
    counts = int(np.count_nonzero(above > top)), int(np.count_nonzero(rounded > 2**mantissa - 1)), nonfinite
    return signed.reshape(rows.shape), codes, bias, counts


def rounds_up(fraction, integer, rounding, axis):
    """Whether each element of groups ``(..., groups, group)`` is rounded up."""
    if rounding == "truncate":
        return np.zeros(fraction.shape, bool)
    if rounding == "nearest":
        return fraction >= 0.5
    if rounding == "nearest_even":
        return (fraction > 0.5) | ((fraction == 0.5) & (integer % 2 == 1))
    if isinstance(rounding, Ideal):  # in the tensor's own order of elements
        order = np.moveaxis(fraction.reshape(*fraction.shape[:-2], -1), -1, axis).shape
        return np.moveaxis(rounding.generator.random(order), axis, -1).reshape(fraction.shape) < fraction
    r = rounding.bits
    if isinstance(rounding, OneWord):
        return np.floor(fraction * 2**r) + rounding.word >= 2**r
    assert isinstance(rounding, Stochastic)
    random = words_of(rounding, fraction.shape)
    if rounding.mode == "carry":
        return np.floor(fraction * 2**r) + random >= 2**r
    return np.floor(fraction * 2 ** (r + 1)) + 2 * random + 1 >= 2 ** (r + 1)


def words_of(rounding, shape):
    """Words of groups, from the description in `Stochastic`."""
    *outer, groups, group = shape
    steps_a_group = group // rounding.lanes
    row = np.arange(int(np.prod(outer))).reshape(-1, 1, 1)
    index = np.arange(groups).reshape(-1, 1) * steps_a_group + np.arange(group) // rounding.lanes
    found = np.zeros((row.size, groups, group), np.int64)
    lane = 0
    for source in rounding.source:
        own = [element for element in range(group) if lane <= element % rounding.lanes < lane + source.lanes]
        lanes = np.array(own) % rounding.lanes - lane
        if source.rows:
            found[..., own] = words(source, index[:, own], lanes, row + rounding.first_row)
        else:
            step = row * groups * steps_a_group + index[:, own] + rounding.first_step
            found[..., own] = words(source, step, lanes)
        lane += source.lanes
    return found.reshape(shape)
