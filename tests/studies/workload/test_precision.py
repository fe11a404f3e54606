"""Precisions fitted to every kind of hardware, and hardware raised to them."""

import attrs
import pytest

from lowtide.config import Config
from lowtide.formats import Bfp
from lowtide_studies.workload.products import PRECISIONS, Precision, fitted


@pytest.mark.parametrize(
    ("chunk_a", "chunk_b", "expected"),
    [
        (1, 1, "8×8 6×6 4×4 4×2 2×2"),
        (2, 2, "8×8 6×6 4×4 4×2 2×2"),
        (4, 2, "8×8 8×6 4×4 4×2"),
        (4, 4, "8×8 4×4"),
        (3, 3, "9×9 6×6 6×3 3×3"),
        (4, 3, "8×9 8×6 4×6 4×3"),
    ],
)
def test_precisions_are_whole_chunks(chunk_a, chunk_b, expected):
    config = Config(bfp=Bfp(chunk_a=chunk_a, chunk_b=chunk_b, mantissa=12))
    assert " ".join(map(str, fitted(config, PRECISIONS, 128)[1])) == expected


@pytest.mark.parametrize("chunk_a", range(1, 5))
@pytest.mark.parametrize("chunk_b", range(1, 5))
def test_every_pair_of_chunks_gets_a_legal_configuration(chunk_a, chunk_b):
    config = Config(bfp=Bfp(chunk_a=chunk_a, chunk_b=chunk_b, mantissa=12, max_k=1))
    fitting, precisions = fitted(config, PRECISIONS, 128)
    assert fitting.bfp.mantissa == 12
    assert fitting.bfp.max_k == 128
    for precision in precisions:
        assert precision.a % chunk_a == 0 == precision.b % chunk_b
        assert max(precision.a, precision.b) <= fitting.bfp.mantissa


def test_only_what_is_too_small_is_raised():
    tiny, large = Config.load("tiny"), Config.load("large")
    raised = Bfp(lanes=4, mantissa=8, exponent=2, max_k=512)
    assert fitted(tiny, PRECISIONS, 512)[0] == attrs.evolve(tiny, bfp=raised)
    assert fitted(large, PRECISIONS, 512)[0] == large


def test_precision_is_raised_to_whole_chunks():
    assert Precision(4, 2).on(Bfp(chunk_a=4, chunk_b=4)) == Precision(4, 4)
