"""Odd arguments of the models: integers of any type are accepted, and other values are rejected by name, at once.

Each case is a legal call and the arguments to vary: as an integer, a boolean, a name or an object of a class. An odd
value must give the result of the plain value, or an `IllegalValue` of one line that begins with the argument's name.
For arrays, whose shapes may not match, any `ValueError` of one line is correct.
"""

import contextlib
import inspect
import time

import attrs
import ml_dtypes
import numpy as np
import pytest

import lowtide_model as golden
from lowtide.array.params import ArrayParams, RequantizationParams
from lowtide.config import Config
from lowtide.emission.registry import UNITS
from lowtide.engine.params import EngineParams
from lowtide.formats import Bfp, IllegalValue
from lowtide.formats.terms import Terms
from lowtide.interfaces.serial.params import SerialParams
from lowtide.units.random.params import RandomSourceParams
from lowtide_boards.driver.arguments import chunks_of, matrix, precisions
from lowtide_model import terms
from lowtide_model.engine.cycles import Shape, Work
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.output_cycles import Output
from lowtide_model.engine.passes import split
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.reveal import Reveal
from lowtide_model.engine.transfer import Stalls
from lowtide_model.tiling import Tiling
from lowtide_studies.engine_training.schedule import Adaptive, LowThenHigh, TwoSided

X = np.arange(1, 33, dtype=np.float32).reshape(4, 8)
WIDE = np.ones((16, 16), np.float32)
A = golden.quantize(WIDE, mantissa=4, group=16)
B = golden.quantize(WIDE, mantissa=4, group=16, axis=0)
V = golden.quantize(X[0], mantissa=4, group=8)
SOURCE = RandomSourceParams(lanes=4, bits=5, seed=3, rows=True)
DIGITS = terms.digits_of(np.arange(12).reshape(3, 4), 8)
ROW = {
    "signed": V.signed,
    "codes": V.codes,
    "bias": 0,
    "mantissa": 4,
    "exponent": 3,
    "group": 8,
    "length": 8,
    "axis": 0,
}


def result(**keywords):
    return golden.BfpTensor(**{**ROW, **keywords})


CASES = {
    "quantize": (
        golden.quantize,
        {
            "x": X,
            "mantissa": 4,
            "exponent": 3,
            "group": 4,
            "axis": 1,
            "bias": 0,
            "rounding": "nearest",
            "nonfinite": "raise",
        },
    ),
    "default_bias": (golden.default_bias, {"x": X, "exponent": 3}),
    "BfpTensor": (
        result,
        dict(**ROW, saturated_groups=2, saturated_elements=3, nonfinite_elements=4),
    ),
    "chunks": (golden.chunks, {"tensor": A, "w": 2}),
    "pack": (golden.pack, {"tensor": A}),
    "unpack": (
        golden.unpack,
        {
            "words": golden.pack(V),
            "mantissa": V.mantissa,
            "exponent": V.exponent,
            "group": V.group,
            "bias": 0,
            "length": V.length,
            "axis": 0,
        },
    ),
    "check_product": (golden.check_product, {"a": A, "b": B, "bfp": Bfp()}),
    "matmul": (golden.matmul, {"a": A, "b": B, "bfp": Bfp()}),
    "dot": (golden.dot, {"a": V, "b": V, "bfp": Bfp(lanes=8)}),
    "to_fp32": (golden.to_fp32, {"acc": 5, "a": A, "b": B}),
    "scaled_to_fp32": (golden.scaled_to_fp32, {"acc": 5, "scale": 4}),
    "add_fp32": (golden.add_fp32, {"x": np.array([4], np.float32), "y": np.array([5], np.float32), "relu": True}),
    "PostOperations": (
        PostOperations,
        {
            "bias": np.array([4, 5], np.float32),
            "relu": True,
            "residual": np.array([[4, 5]], np.float32),
            "final_relu": True,
            "offset": np.array([4, 5]),
            "scale": np.array([4, 5], np.float32),
        },
    ),
    "neighbor_words": (golden.neighbor_words, {"data": [1, 2, 3, 4], "width": 4, "neighbors": 2}),
    "Improvement": (golden.Improvement, {"low_sum": 4, "high_sum": 7}),
    "Improvement.exceeds": (golden.Improvement(4, 7).exceeds, {"threshold": 4}),
    "improvement_of": (golden.improvement_of, {"x": X, "chunk": 2, "exponent": 3, "group": 4, "axis": 1, "bias": 0}),
    "round_magnitude": (
        golden.round_magnitude,
        {"value": 45, "mode": "carry", "width": 4, "fraction": 3, "random": 4, "random_bits": 3},
    ),
    "rounds_up": (golden.rounds_up, {"value": 45, "mode": "carry", "fraction": 3, "random": 4, "random_bits": 3}),
    "words": (golden.words, {"source": SOURCE, "index": 4, "lane": 2, "row": 4}),
    "SteppingSource": (golden.SteppingSource, {"source": SOURCE}),
    "SteppingSource.step": (golden.SteppingSource(SOURCE).step, {"row": True}),
    "Stochastic": (golden.Stochastic, {"mode": "carry", "source": SOURCE, "first_row": 4, "first_step": 4}),
    "GivenWords": (golden.GivenWords, {"mode": "carry", "bits": 4, "words": 4}),
    "OneWord": (golden.OneWord, {"bits": 4, "word": 4}),
    "Ideal": (golden.Ideal, {"generator": np.random.default_rng(1)}),
    "reference": (golden.reference, {"lanes": 4, "mode": "carry"}),
    "encode": (terms.encode, {"n": 4, "width": 4, "encoding": "hese"}),
    "digits_of": (terms.digits_of, {"values": 4, "width": 4, "encoding": "hese"}),
    "value_of": (terms.value_of, {"digits": DIGITS}),
    "top_terms": (terms.top_terms, {"digits": DIGITS, "s": 4}),
    "receding_water": (terms.receding_water, {"digits": DIGITS, "k": 4, "group": 4}),
    "reveal_weights": (
        terms.reveal_weights,
        {"values": [4, 5], "width": 4, "group": 4, "budget": 4, "encoding": "hese", "axis": 0},
    ),
    "reveal_data": (terms.reveal_data, {"values": 4, "width": 4, "terms": 4, "encoding": "hese"}),
    "term_matmul": (
        terms.term_matmul,
        {"a": [[4, 5]], "b": [[4], [5]], "width": 4, "group": 4, "budget": 4, "data_terms": 4, "encoding": "hese"},
    ),
    "term_queue": (terms.term_queue, {"values": [4, 5], "width": 4, "group": 4, "budget": 4, "encoding": "hese"}),
    "requantize": (terms.requantize, {"acc": 4, "multiplier": 4, "shift": 4, "width": 4, "relu": True}),
    "requantize_data": (
        terms.requantize_data,
        {"acc": 4, "multiplier": 4, "shift": 4, "width": 4, "terms": 4, "encoding": "hese", "relu": True},
    ),
    "multiplier_of": (terms.multiplier_of, {"scale": 4.0, "bits": 4}),
    "quantize_integers": (terms.quantize_integers, {"x": X, "width": 4, "channel": 1}),
    "OperandSettings": (OperandSettings, {"chunks": 4, "rounding": "nearest", "seed": 4, "bias": 4}),
    "Stalls": (Stalls, {"a": 4, "b": 4, "c": 4, "d": 4}),
    "cycles.Output": (Output, {"scale": True, "bias": True, "residual": True, "chunks": 4, "integers": True}),
    "cycles.Shape": (Shape, {"lines": 4, "length": 4, "chunks": 4, "transposed": True, "packed": True}),
    "cycles.Work": (
        Work,
        {
            "a": Shape(lines=4, length=4, chunks=1),
            "b": Shape(lines=4, length=4, chunks=1),
            "load_a": True,
            "load_b": True,
            "slot_a": 1,
            "slot_b": 1,
            "reveal": Reveal(group=8),
            "add": True,
            "keep": True,
            "output": Output(),
        },
    ),
    "passes.split": (
        split,
        {
            "config": Config(),
            "m": 4,
            "k": 4,
            "n": 4,
            "chunks_a": 1,
            "chunks_b": 2,
            "in_order_a": True,
            "in_order_b": True,
            "group": 16,
        },
    ),
    "GoldenEngine": (GoldenEngine, {"config": Config()}),
    "Tiling": (Tiling, {"a": A, "b": B, "config": Config()}),
    "LowThenHigh": (LowThenHigh, {"share": 0.5}),
    "Adaptive": (Adaptive, {"alpha": 0.5, "beta": 0.25}),
    "TwoSided": (TwoSided, {"low": 0.25, "high": 0.5, "hold": 4}),
}
RESULTS = {"Chunk", "Fp32", "IntegerTensor", "TermQueue"}
"""Classes that only results have."""

ARRAYS = {
    "x",
    "y",
    "acc",
    "value",
    "values",
    "random",
    "index",
    "lane",
    "row",
    "words",
    "data",
    "digits",
    "n",
    "a",
    "b",
    "signed",
    "codes",
}
"""Arguments that accept arrays of numbers, and therefore also one number."""

OPTIONAL = {"bias", "offset", "scale", "residual", "channel", "bfp", "reveal", "group", "slot_a", "slot_b"}
"""Arguments that may be None."""

SHAPES = [Bfp, Terms, ArrayParams, EngineParams, SerialParams, RequantizationParams, RandomSourceParams]
SHAPES += [unit.parameters for unit in UNITS.values() if unit.parameters not in SHAPES]


class Odd:
    """A value of an unsupported type."""


def odd_values(plain):
    """Values to test in place of a plain value."""
    legal = plain if type(plain) is int else 4
    strange = [
        None,
        2.0,
        np.float32(3),
        float("nan"),
        1j,
        "4",
        b"4",
        [4],
        (4, 4),
        {},
        np.array(4),
        np.array([4]),
        Odd(),
    ]
    strange += [
        True,
        np.True_,
        -1,
        10**30,
        -(10**30),
        10**5000,
        np.array(["4"]),
        np.array([None]),
        np.ones((2, 2), bool),
    ]
    kinds = [np.int8, np.uint8, np.int16, np.int64, np.uint64]
    return strange + [kind(legal) for kind in kinds if legal <= np.iinfo(kind).max]


def same(found, plain):
    """Whether two results are equal."""
    if attrs.has(type(plain)):
        names = [field.name for field in attrs.fields(type(plain))]
        return all(same(getattr(found, name), getattr(plain, name)) for name in names)
    if isinstance(plain, tuple):
        return len(found) == len(plain) and all(same(*pair) for pair in zip(found, plain, strict=True))
    if isinstance(plain, np.ndarray):
        return found.shape == plain.shape and found.dtype == plain.dtype and bool((found == plain).all())
    return isinstance(plain, golden.SteppingSource | GoldenEngine) or bool(found == plain)


def cases():
    for name, (call, arguments) in CASES.items():
        for argument in arguments:
            yield pytest.param(call, arguments, argument, id=f"{name}-{argument}")
    for kind in SHAPES:
        for field in attrs.fields(kind):
            yield pytest.param(kind, {field.name: field.default}, field.name, id=f"{kind.__name__}-{field.name}")


def outcome(call, arguments):
    """The result of a call, or its error, within a second."""
    start = time.process_time()
    try:
        found, error = call(**arguments), None
    except ValueError as refusal:
        found, error = None, refusal
    assert time.process_time() - start < 1
    return found, error


@pytest.mark.parametrize(("call", "arguments", "argument"), list(cases()))
def test_an_odd_argument_equals_the_plain_one_or_is_rejected(call, arguments, argument):
    plain_value = arguments[argument]
    plain = call(**arguments)
    for value in odd_values(plain_value):
        found, error = outcome(call, {**arguments, argument: value})
        if type(plain_value) is int and isinstance(value, np.integer):
            assert error is None
            assert same(found, plain)
        elif error:
            message = str(error)
            assert argument in ARRAYS or (isinstance(error, IllegalValue) and message.startswith(argument)), message
            assert "\n" not in message
            assert len(message) < 300
        elif argument not in ARRAYS:
            assert_taken(argument, value, plain_value)


def assert_taken(argument, value, plain_value):
    """Check that a value may replace the plain value."""
    if value is None:
        assert argument in OPTIONAL
    elif isinstance(plain_value, np.ndarray):
        assert (value.ndim, value.dtype.kind) == (plain_value.ndim, plain_value.dtype.kind)
    elif isinstance(plain_value, bool):
        assert isinstance(value, bool | np.bool_)
    elif isinstance(plain_value, int):
        assert type(value) is int or isinstance(value, np.integer), f"{argument}={value!r} was taken"
    elif isinstance(plain_value, float):
        assert not isinstance(value, bool | str | complex)
    else:
        raise AssertionError(f"{argument}={value!r} was taken")


def test_every_callable_of_the_models_has_a_case():
    public = {name for module in (golden, terms) for name in module.__all__}
    assert public - RESULTS <= set(CASES)
    for name, (call, arguments) in CASES.items():
        with contextlib.suppress(KeyError):
            signature = inspect.signature(golden.BfpTensor if name == "BfpTensor" else call)
            assert set(arguments) == set(signature.parameters), name


@pytest.mark.parametrize("seed", [np.int64(2**26), np.uint32(2**32 - 1), np.int64(1)])
def test_a_large_seed_of_any_type_is_accepted_quickly(seed):
    start = time.process_time()
    assert OperandSettings(seed=seed) == OperandSettings(seed=int(seed))
    assert golden.OneWord(bits=32, word=np.int64(2**31)).word == 2**31
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize("words", [np.zeros((3, 8)), np.zeros((5, 8)), np.zeros((1, 8)), np.zeros(8), np.zeros((4, 4))])
def test_words_of_other_groups_are_rejected(words):
    rounding = golden.GivenWords(mode="carry", bits=3, words=words.astype(int))
    with pytest.raises(IllegalValue, match=r"^words must be of shape \(4, 8\), one for each element, not \("):
        golden.quantize(X, mantissa=4, group=8, rounding=rounding)


def test_words_belong_to_the_last_axis():
    rounding = golden.GivenWords(mode="carry", bits=3, words=np.zeros((8, 4), int))
    with pytest.raises(IllegalValue, match=r"^words must be for groups along the last axis, not "):
        golden.quantize(X, mantissa=4, group=4, axis=0, rounding=rounding)


@pytest.mark.parametrize("precision", [4.0, np.float32(4), "4", True, [4], 3, 0, -2, 10**30])
def test_a_precision_of_a_device_is_an_integer(precision):
    with pytest.raises(IllegalValue, match=r"^precision must be one of 2, 4, not "):
        chunks_of(precision, 4, 2)


def test_precisions_of_a_device():
    assert precisions((2, 4)) == (2, 4)
    assert precisions(None) == (None, None)
    for precision in ((), (4,), (2, 4, 4)):
        with pytest.raises(IllegalValue, match=r"^precision must be a number of bits, or two of them, not \("):
            precisions(precision)
    assert chunks_of(None, 4, 2) == chunks_of(np.int64(4), 4, 2) == 2


def test_the_improvement_of_a_large_tensor_does_not_overflow():
    """The sums exceed int64: 2**21 elements of 12 bits at the largest code, 31."""
    x = np.full((1, 2**21), 2.0**31 * (2 - 2.0**-11), np.float32)
    ratio = golden.improvement_of(x, chunk=6, exponent=5, group=64, axis=1, bias=0)
    assert (ratio.low_sum, ratio.high_sum) == (2**21 * 63 << 31, 2**21 * (63 << 6) << 31)


@pytest.mark.parametrize("kind", [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ">f4", "<f2", ">i2", "u1", bool])
def test_a_matrix_for_a_device_is_of_any_type_of_numbers(kind):
    found = matrix("a", np.array([[1, 0], [1, 1]]).astype(kind))
    assert found.dtype == np.float32
    assert found.tolist() == [[1, 0], [1, 1]]


@pytest.mark.parametrize("x", [None, "1", [[1, 2], [3]], [1.0, 2.0], [[1j]], [["1"]], [[None]], np.zeros((1, 1), "V4")])
def test_an_argument_that_is_no_matrix_is_rejected_by_name(x):
    with pytest.raises(ValueError, match=r"^a must be [^\n]+, not [^\n]+$"):
        matrix("a", x)
    with pytest.raises(ValueError, match=r"^a must be a matrix of float32, not [^\n]+$"):
        GoldenEngine(Config()).multiply(x, WIDE, OperandSettings(), OperandSettings())
