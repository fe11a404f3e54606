"""Arguments: integers of any library are taken, everything else is refused at once, by name and in one line."""

import time
from fractions import Fraction

import numpy as np
import pytest

from lowtide.formats.parameter import IllegalValue, choice, count, flag, legal_text, value_text, whole_number

SEEDS = range(1, 2**32)


class Unshowable:
    """What cannot even be shown."""

    def __repr__(self):
        raise RuntimeError("no text")


STRANGE = [
    None,
    2.0,
    float("nan"),
    2 + 0j,
    Fraction(2),
    np.float32(2),
    np.float64(2),
    np.array(2),
    np.array([2]),
    np.arange(10**6),
    [2],
    "2",
    b"2",
    True,
    np.True_,
    list(range(10**6)),
    {"seed": 2},
    object(),
    Unshowable(),
]


@pytest.mark.parametrize("kind", [int, np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_integers_of_any_type_are_the_same_integer(kind):
    for value in (whole_number("seed", kind(4), SEEDS), count("group", kind(4), 1)):
        assert type(value) is int
        assert value == 4


def test_a_large_numpy_integer_is_found_in_a_range_at_once():
    start = time.process_time()
    assert whole_number("seed", np.int64(2**32 - 1), SEEDS) == 2**32 - 1
    assert time.process_time() - start < 0.1


def refused(check, value):
    """Whether ``check`` refuses the value at once, in one short line."""
    start = time.process_time()
    with pytest.raises(IllegalValue, match=r"^seed must be .*, not .+$") as error:
        check("seed", value)
    assert time.process_time() - start < 0.1
    assert "\n" not in str(error.value)
    return len(str(error.value)) < 150


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: type(value).__name__)
def test_non_integers_are_refused_in_one_line(value):
    assert refused(lambda name, given: whole_number(name, given, SEEDS), value)
    assert refused(lambda name, given: whole_number(name, given, (1, 2, 4)), value)
    assert refused(lambda name, given: count(name, given, 1), value)


@pytest.mark.parametrize(
    "value", [0, -1, np.int8(-1), 2**32, 10**30, 10**5000, -(10**5000)], ids=lambda value: f"{int(value):#x}"[:20]
)
def test_integers_out_of_range_are_refused_at_once_in_one_line(value):
    assert refused(lambda name, given: whole_number(name, given, SEEDS), value)
    assert value > 0 or refused(lambda name, given: count(name, given, 1), value)


@pytest.mark.parametrize("value", [True, np.True_, False, np.False_])
def test_booleans_of_python_and_numpy_are_flags(value):
    assert flag("rows", value) is bool(value)


@pytest.mark.parametrize("value", [None, 0, 1, np.int64(1), 1.0, "True", [True], np.array([True]), object()])
def test_non_booleans_are_refused(value):
    with pytest.raises(IllegalValue, match=r"^rows must be one of False, True, not "):
        flag("rows", value)


def test_choice():
    assert type(choice("mode", np.str_("carry"), ("carry", "half_step"))) is str
    for value in (None, 1, "up", b"carry", ["carry"], np.array(["carry", "carry"]), object()):
        with pytest.raises(IllegalValue, match=r"^mode must be one of carry, half_step, not "):
            choice("mode", value, ("carry", "half_step"))


def test_message_shows_the_number_without_its_type():
    with pytest.raises(IllegalValue, match=r"^seed must be from 1 to 7, not 9$"):
        whole_number("seed", np.int64(9), range(1, 8))
    assert legal_text((4, 8)) == "one of 4, 8"
    assert len(value_text(np.eye(9))) <= 80
    assert value_text(10**5000) == "an integer of 16610 bits"
