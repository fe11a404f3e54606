"""Products in PyTorch equal the golden engine's products to the bit, by C functions and by operations of PyTorch."""

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch")
from random_torch_products import difference, random_product  # noqa: E402

from lowtide.config import Config  # noqa: E402
from lowtide.engine.seeds import panel_seed  # noqa: E402
from lowtide_model import default_bias, scaled_to_fp32  # noqa: E402
from lowtide_model.engine.operand import OperandSettings  # noqa: E402
from lowtide_model.random_source import words  # noqa: E402
from lowtide_torch import native  # noqa: E402
from lowtide_torch.conversion import Converted  # noqa: E402
from lowtide_torch.engine import Engine  # noqa: E402
from lowtide_torch.exact import rounded, split  # noqa: E402
from lowtide_torch.operand import Operand, bias_of, tensor_bias  # noqa: E402
from lowtide_torch.words import panel_states, sequences  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(params=["native", "torch"])
def tier(request, monkeypatch):
    """C functions, or operations of PyTorch."""
    if request.param == "torch":
        monkeypatch.setattr(native, "available", lambda _: False)
    elif not native.available(torch.zeros(1)):
        pytest.skip("no C compiler")
    return request.param


@pytest.mark.parametrize("seed", range(30))
def test_random_products(tier, seed):
    assert difference(seed) is None


@pytest.mark.slow
@pytest.mark.parametrize("part", range(50))
def test_many_random_products(tier, part):
    for seed in range(1000 + 50 * part, 1050 + 50 * part):
        assert difference(seed) is None


def test_random_products_cover_all_cases():
    """Several panels along K, several panels of vectors, all roundings, and all layouts."""
    cases = set()
    for seed in range(30):
        config, a, b = random_product(seed)
        cases |= {a.settings.rounding, b.settings.rounding}
        cases |= {"long"} if a.x.shape[2] > config.bfp.max_k else set()
        cases |= {"batch"} if len(a.x) > 1 else set()
        cases |= {"transposed"} if a.x.stride(2) != 1 else set()
        cases |= {"wide exponents"} if config.bfp.exponent == 5 else set()
    assert cases == {"truncate", "nearest", "stochastic", "long", "batch", "transposed", "wide exponents"}


@pytest.mark.parametrize("bits", [5, 16, 24])
def test_states_of_panels(bits):
    states = np.array([[1, 7], [2**bits - 1, 9]])
    found = panel_states(states, "b", 5, bits)
    expected = [[[panel_seed(int(state), "b", p, bits) for p in range(5)] for state in row] for row in states]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("plateau", [False, True])
@pytest.mark.parametrize(("bits", "width"), [(5, 2), (5, 5), (16, 3), (24, 2)])
def test_words_of_sequences(bits, width, plateau):
    changes = {"engine.lfsr_bits": bits, "engine.random_bits": width, "engine.random_plateau": plateau}
    source = Config().changed(changes).engine.source(16)
    table, pairs, starts = sequences(source, np.array([3, 2**bits - 1]), 40)
    for state, start in zip((3, 2**bits - 1), starts, strict=True):
        plain = attrs.evolve(source, seed=state, polarity="plain", lanes=1, rows=False)
        expected = words(plain, np.arange(40))
        np.testing.assert_array_equal(table[start : start + 40], expected)
        np.testing.assert_array_equal(pairs[2 * start : 2 * start + 80 : 2], expected)
        np.testing.assert_array_equal(pairs[2 * start + 1 : 2 * start + 80 : 2], 2**source.width - 1 - expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [-342, -160, -151, -150, -149, -148, -126, -125, 0, 79, 103, 104, 110, 127, 200])
def test_one_rounding(dtype, scale):
    """Sums near all limits: ties, the smallest normal number, overflow."""
    most = 24 if dtype == torch.float32 else 53
    sums = {0}
    for power in range(most):
        sums |= {2**power + more for more in range(-3, 4)} | {2**power + 2 ** max(power - 24, 0)}
    sums |= {2**most - 2 ** max(most - low, 0) for low in range(20, 30)}
    integers = np.array(sorted(s for s in sums if 0 <= s <= 2**most), np.int64)
    integers = np.concatenate([-integers, integers])
    found = rounded(torch.from_numpy(integers).to(dtype), scale).numpy()
    expected = scaled_to_fp32(integers, scale).values
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


def test_parts_of_an_operand():
    """Parts add up, and their products are exact in float32."""
    random = np.random.default_rng(1)
    integers = torch.from_numpy(random.integers(-1920, 1921, (1, 4096, 5)).astype(np.float32))
    squares = float(integers.double().square().sum(1).max())
    operand = Converted(integers=integers, squares=squares, normal_squares=squares, scale=0)
    parts = split(operand, 2.0**12)
    assert parts is not None
    high, low = parts
    assert torch.equal(high + low, integers)
    assert float(low.norm(dim=1).max()) * 2**12 <= 2**24
    assert split(operand, 2.0**20) is None


def test_a_product_beyond_float64_is_computed_by_the_golden_engine():
    config = Config().changed({"bfp.exponent": 5, "bfp.mantissa": 12})
    engine = Engine(config, verify=1)
    x = torch.from_numpy(np.exp2(np.random.default_rng(0).integers(-15, 16, (1, 64, 64))).astype(np.float32))
    settings = OperandSettings(chunks=6, bias=tensor_bias(x, 5))
    engine.multiply(Operand(x=x, settings=settings), Operand(x=x, settings=settings))
    assert engine.products == 1


@pytest.mark.parametrize("exponent", [1, 3, 5])
def test_the_bias_is_the_golden_models(exponent):
    fields = np.arange(255, dtype=np.uint32)
    numbers = np.concatenate([(fields << 23 | rest).view(np.float32) for rest in (0, 1, 2**22, 2**23 - 1)])
    for number in (*numbers, np.float32(np.inf), np.float32(np.nan)):
        assert bias_of(float(number), exponent) == default_bias(np.array([number]), exponent=exponent)
