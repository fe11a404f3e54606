"""Operands of baselines, rounded to bfloat16 and to integers."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("optuna")
pytest.importorskip("PIL")
from lowtide_studies.network_training.rounding import round_bf16, round_int8, round_operands_  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def test_bfloat16_rounds_as_ml_dtypes():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = torch.randn(1000)
    assert round_bf16(x, None).tolist() == x.numpy().astype(ml_dtypes.bfloat16).astype("float32").tolist()


def test_integers_are_nearest_or_unbiased():
    x = torch.linspace(-1, 1, 2001)
    rounded = round_int8(x, None)
    assert (127 * rounded - (127 * rounded).round()).abs().max() < 1e-4
    assert (rounded - x).abs().max() <= 0.5 / 127 + 1e-6
    source = torch.Generator().manual_seed(0)
    mean = torch.stack([round_int8(x, source) for _ in range(400)]).mean(0)
    assert (mean - x).abs().max() < 5 * 0.5 / 127 / 20
    assert round_int8(torch.zeros(3), None).tolist() == [0, 0, 0]


def test_all_three_products_have_rounded_operands():
    torch.manual_seed(0)
    layer, x, g = torch.nn.Linear(6, 5), torch.randn(4, 6, requires_grad=True), torch.randn(4, 5)
    round_operands_(layer, round_bf16, seed=0)
    y = layer(x)
    y.backward(g)
    a, w, e = round_bf16(x, None), round_bf16(layer.weight, None), round_bf16(g, None)
    torch.testing.assert_close(y, a @ w.T + layer.bias)
    torch.testing.assert_close(x.grad, e @ w)
    torch.testing.assert_close(layer.weight.grad, e.T @ a)
    torch.testing.assert_close(layer.bias.grad, g.sum(0))
