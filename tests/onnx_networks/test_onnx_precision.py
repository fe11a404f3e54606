"""Precision of layers: patterns of names, and what is refused."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx_models import random, two_layers  # noqa: E402

from lowtide.formats.parameter import IllegalValue  # noqa: E402


def bits_of(network, precision):
    """Magnitude bits of each layer of a run."""
    report = network.report(network.random_inputs(), precision)
    return {one.name: one.bits for one in report.layers}


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (None, [(4, 4), (4, 4)]),
        (2, [(2, 2), (2, 2)]),
        ((4, 2), [(4, 2), (4, 2)]),
        ("fp32", [None, None]),
        ({"*": 2, "head": 4}, [(2, 2), (4, 4)]),
        ({"head": 4, "*": 2}, [(2, 2), (4, 4)]),
        ({"head": 2}, [(4, 4), (2, 2)]),
        ({"f*": (2, 4), "h*": "fp32"}, [(2, 4), None]),
        ({"*d": 2, "*": "fp32"}, [None, (2, 2)]),
        ({"*": np.int64(2)}, [(2, 2), (2, 2)]),
    ],
)
def test_precision_of_layers(tmp_path, precision, expected):
    network, _ = two_layers(tmp_path)
    assert list(bits_of(network, precision).values()) == expected


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ({"heads": 4}, "precision must be for layers: first, head, not 'heads'"),
        ({"h*": 2, "head": 4}, r"precision must be for layers: first, head, not 'h\*'"),
        ({3: 4}, "precision must be for the names of layers, not 3"),
        (8, r"precision must be one of 2, 4 \(whole chunks up to bfp.mantissa\), not 8"),
        ({"head": 3}, r"precision of 'head' must be one of 2, 4 \(whole chunks up to bfp.mantissa\), not 3"),
        ({"head": 4.0}, r"precision of 'head' must be one of 2, 4 \(whole chunks up to bfp.mantissa\), not 4.0"),
        ("fp16", "precision must be a number of bits, two of them, or 'fp32', not 'fp16'"),
        ((4, 2, 2), r"precision must be a number of bits, two of them, or 'fp32', not \(4, 2, 2\)"),
        ({"*": True}, r"precision must be one of 2, 4 \(whole chunks up to bfp.mantissa\), not True"),
    ],
)
def test_an_illegal_precision_is_refused(tmp_path, precision, message):
    network, _ = two_layers(tmp_path)
    with pytest.raises(IllegalValue, match=f"^{message}$"):
        network.predict(random(1, 20), precision)
