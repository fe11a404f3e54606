"""The default exponent bias in PyTorch is the bias of the golden model."""

import numpy as np
import pytest

from lowtide_model import default_bias
from lowtide_torch.operand import bias_of

EDGES = np.array([0, 1e-45, 1.1754942e-38, 2.0**-126, 1, np.finfo(np.float32).max, np.inf, np.nan], np.float32)


@pytest.mark.parametrize("exponent", range(1, 6))
def test_bias_of_the_largest_magnitude(exponent):
    """All powers of two and their neighbors, random numbers, and the edges of FP32."""
    powers = np.ldexp(np.float32(1), np.arange(-149, 128)).astype(np.float32)
    numbers = np.random.default_rng(1).integers(0, 0x7F800000, 2000).astype(np.uint32).view(np.float32)
    for most in np.concatenate([EDGES, powers, np.nextafter(powers, np.float32(0)), numbers]):
        assert bias_of(float(most), exponent) == default_bias(np.array([most]), exponent=exponent)
