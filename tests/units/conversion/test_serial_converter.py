"""The serial converter against the golden model, and its rate."""

from itertools import pairwise, repeat

import numpy as np
import pytest
import streams

from lowtide.units.conversion.params import ConverterParams
from lowtide.units.conversion.serial_converter import SerialBfpConverter

SHAPES = [
    ConverterParams(lanes=1, rounding="truncate"),
    ConverterParams(lanes=2, rounding="carry"),
    ConverterParams(lanes=3, rounding="nearest"),
    ConverterParams(lanes=3, rounding="nearest_even"),
    ConverterParams(lanes=5, mantissa=12, chunk=4, exponent=5, rounding="half_step", random=23),
    ConverterParams(lanes=16, rounding="carry"),
    ConverterParams(lanes=4, mantissa=1, chunk=1, exponent=1, rounding="truncate"),
]


def by_name(shape):
    return shape.name


def inputs_of(tensor):
    """A word for each number; ``last`` with a row's."""
    ends = [
        (int(n), last and lane == len(g) - 1)
        for g, last in zip(tensor.bits, tensor.lasts, strict=True)
        for lane, n in enumerate(g)
    ]
    return [number | end << 32 for number, end in ends]


def words_of(tensor):
    return tensor.words.ravel().tolist()


def check(shape, tensors, pauses=None, inputs_of=inputs_of):
    return streams.check(SerialBfpConverter(shape), tensors, pauses or repeat(False), inputs_of, words_of)


@pytest.mark.parametrize("shape", SHAPES, ids=by_name)
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_random_groups_with_stalls(shape, share):
    rng = np.random.default_rng(1)
    tensors = [
        streams.random_tensor(shape, rng, bias, 1 + n % shape.max_chunks, 5)
        for n, bias in enumerate([-256, -133, -127, -5, 0, 3, 121, 127, 255])
    ]
    seen = check(shape, tensors, streams.random_pauses(rng, share))
    if shape.stochastic:
        ends = [last and lane == shape.lanes - 1 for t in tensors for last in t.lasts for lane in range(shape.lanes)]
        assert seen.rows == ends


@pytest.mark.parametrize("shape", SHAPES, ids=by_name)
def test_a_number_a_cycle(shape):
    """Numbers are taken in every cycle, and groups come in every ``lanes`` cycles, after the latency."""
    lanes = shape.lanes
    seen = check(shape, [streams.random_tensor(shape, np.random.default_rng(2), 0, 1, 12)])
    tensor_lasts = seen.taken[lanes - 1 :: lanes]
    assert [y - x for x, y in pairwise(seen.taken)] == [1] * (12 * lanes - 1)
    assert seen.received == [cycle + SerialBfpConverter(shape).latency for cycle in tensor_lasts]


@pytest.mark.parametrize("lanes", [2, 3, 5, 16])
def test_a_short_group_is_filled_with_zeros(lanes):
    """``last`` ends a row at any lane; what follows it is the next row."""
    shape = ConverterParams(lanes=lanes, rounding="carry")
    rng = np.random.default_rng(3)
    lengths = [int(n) for n in rng.integers(1, 2 * lanes + 1, 12)]
    rows = [streams.random_bits(rng, 1, n, 0)[0] for n in lengths]
    whole = np.concatenate([np.pad(row, (0, -len(row) % lanes)) for row in rows]).reshape(-1, lanes)
    lasts = [n == -(-length // lanes) - 1 for length in lengths for n in range(-(-length // lanes))]
    words = rng.integers(0, 8, whole.shape)
    tensor = streams.Tensor(bits=whole, bias=0, chunks=2, words=words, lasts=lasts)
    numbers = [int(number) | (n == len(row) - 1) << 32 for row in rows for n, number in enumerate(row)]
    check(shape, [tensor], streams.random_pauses(rng, 0.2), lambda _: numbers)


def test_groups_wait_for_a_sink():
    """The converter keeps taking numbers while a group waits, and loses none."""
    shape = ConverterParams(lanes=4, rounding="truncate")
    tensor = streams.random_tensor(shape, np.random.default_rng(4), 0, 2, 10)
    pauses = (side and (cycle // 60) % 2 == 0 for cycle in range(10**6) for side in (0, 1))
    check(shape, [tensor], pauses)
