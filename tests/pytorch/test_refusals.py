"""What is not exact, not supported or not finite is refused in one line that names the module."""

import re
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import lowtide_torch as lt  # noqa: E402
from lowtide.config import Config, ConfigError  # noqa: E402
from lowtide.formats import IllegalValue  # noqa: E402
from lowtide_model.engine.golden_engine import GoldenEngine  # noqa: E402
from lowtide_torch import exact, native  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


class Custom(nn.Linear):
    """A subclass may have another forward function."""


@pytest.mark.parametrize(
    "module",
    [
        nn.ConvTranspose2d(2, 2, 3),
        nn.Conv3d(1, 1, 3),
        nn.Bilinear(2, 2, 2),
        nn.RNN(2, 2),
        nn.LSTMCell(2, 2),
        nn.LazyLinear(2),
        nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)),
        Custom(2, 2),
    ],
)
def test_unsupported_modules(module):
    network = nn.ModuleDict({"first": nn.Linear(2, 2), "odd": module})
    with pytest.raises(lt.UnsupportedLayer, match=r"layer 'odd.*': \w+ is not supported") as error:
        lt.quantize_(network, lt.BFP())
    line(error)
    assert type(network["first"]) is nn.Linear
    lt.quantize_(network, lt.BFP(), filter_fn=lambda _, name: not name.startswith("odd"))
    assert type(network["first"]) is not nn.Linear


def test_a_bare_parameter_of_a_custom_module():
    class Scores(nn.Module):
        def __init__(self):
            super().__init__()
            self.matrix = nn.Parameter(torch.zeros(3, 3))

    with pytest.raises(lt.UnsupportedLayer, match=r"layer 'b': Scores is not supported"):
        lt.quantize_(nn.ModuleDict({"a": nn.Linear(2, 2), "b": Scores()}), lt.BFP())


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.LSTM(2, 4, proj_size=2), "proj_size of an LSTM must be 0, not 2"),
        (nn.MultiheadAttention(4, 2, add_bias_kv=True), "add_bias_kv"),
        (nn.Linear(2, 2).half(), "parameters must be of float32, not float16"),
        (nn.Conv2d(2, 2, 3, dtype=torch.float64), "parameters must be of float32, not float64"),
    ],
)
def test_unsupported_options(module, message):
    with pytest.raises(lt.UnsupportedLayer, match=f"layer 'odd': .*{message}") as error:
        lt.quantize_(nn.ModuleDict({"odd": module}), lt.BFP())
    line(error)


def test_a_causal_hint_without_a_mask():
    layer = nn.ModuleDict({"attention": nn.MultiheadAttention(4, 2)})
    lt.quantize_(layer, lt.BFP())
    x = torch.zeros(3, 1, 4)
    with pytest.raises(lt.UnsupportedLayer, match="layer 'attention': is_causal needs attn_mask"):
        layer["attention"](x, x, x, is_causal=True)


def test_a_packed_sequence():
    layer = nn.ModuleDict({"rnn": nn.GRU(2, 2)})
    lt.quantize_(layer, lt.BFP())
    packed = nn.utils.rnn.pack_sequence([torch.zeros(3, 2), torch.zeros(2, 2)])
    with pytest.raises(lt.UnsupportedLayer, match=r"layer 'rnn': a PackedSequence is not supported: pad"):
        layer["rnn"](packed)


def test_a_model_is_quantized_once():
    network = nn.Sequential(nn.Linear(2, 2))
    lt.quantize_(network, lt.BFP())
    with pytest.raises(lt.UnsupportedLayer, match=r"layer '0' is on an engine already"):
        lt.quantize_(network, lt.BFP())


def test_nothing_to_quantize():
    with pytest.raises(IllegalValue, match="a selection of at least one supported module"):
        lt.quantize_(nn.Sequential(nn.ReLU()), lt.BFP())


@pytest.mark.parametrize("kind", ["weights", "activations", "gradients"])
def test_precision_of_the_engine(kind):
    with pytest.raises(IllegalValue, match=f"bits of {kind} must be one of 2, 4 .*not 8"):
        lt.quantize_(nn.Linear(2, 2), lt.BFP(**{kind: lt.Nearest(8)}))


def test_adaptive_precision_needs_two_chunks():
    config = Config().changed({"bfp.mantissa": 2})
    with pytest.raises(IllegalValue, match=r"bfp.mantissa must be 4 or more, two chunks, for FastAdaptive, not 2"):
        lt.quantize_(nn.Linear(2, 2), lt.FastAdaptive(), engine=lt.Engine(config))


@pytest.mark.parametrize("kinds", [(), "weights", ("weights", "biases"), None, 3])
def test_kinds_that_adapt(kinds):
    with pytest.raises(IllegalValue, match="kinds must be one or more of weights, activations, gradients, not "):
        lt.FastAdaptive(kinds=kinds)
    for settings in (lt.TwoSided, lt.LowThenHigh):
        with pytest.raises(IllegalValue, match="kinds must be"):
            settings(kinds=kinds)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "half", None])
def test_shares_of_low_precision(share):
    with pytest.raises(IllegalValue, match="share must be "):
        lt.LowThenHigh(share=share)


def test_a_reduction_beyond_the_sums_on_chip():
    config = Config().changed({"engine.sum_rows": 8, "engine.sum_max_k": 64, "bfp.max_k": 64})
    network = nn.ModuleDict({"fc": nn.Linear(65, 4)})
    lt.quantize_(network, lt.BFP(), engine=lt.Engine(config))
    with pytest.raises(lt.UnsupportedLayer, match=r"layer 'fc': K must be at most 64, the engine.sum_max_k, not 65"):
        network["fc"](torch.zeros(2, 65))


def test_budgets_of_terms():
    with pytest.raises(IllegalValue, match="budget must be from 1 to 32"):
        lt.quantize_(nn.Linear(2, 2), lt.TR(budget=100))


@pytest.mark.parametrize("config", ["terms", "no-such-preset"])
def test_a_configuration_without_an_engine(config):
    with pytest.raises(ConfigError):
        lt.Engine(config)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(value):
    network = nn.ModuleDict({"fc": nn.Linear(4, 4)})
    lt.quantize_(network, lt.BFP())
    x = torch.randn(2, 4)
    network["fc"](x)
    x[1, 2] = float(value)
    with pytest.raises(lt.NonFinite) as error:
        network["fc"](x)
    shown = "nan" if np.isnan(value) else "inf"
    assert (
        line(error)
        == f"layer 'fc': activations (forward) must be finite, not {shown}, in training call 1 of this layer"
    )


def test_a_gradient_that_is_not_finite():
    network = nn.ModuleDict({"fc": nn.Linear(4, 4)})
    lt.quantize_(network, lt.BFP())
    y = network["fc"](torch.randn(2, 4, requires_grad=True))
    with pytest.raises(lt.NonFinite, match=r"layer 'fc': gradients \(to_inputs\) must be finite, not nan"):
        y.backward(torch.full_like(y, float("nan")))


def test_other_types():
    network = nn.ModuleDict({"fc": nn.Linear(4, 4)})
    lt.quantize_(network, lt.BFP())
    with pytest.raises(lt.UnsupportedLayer, match=r"layer 'fc': activations .* must be of float32, not float64"):
        network["fc"](torch.zeros(2, 4, dtype=torch.float64))
    with torch.autocast("cpu", torch.bfloat16):
        x = torch.randn(3, 4) @ torch.randn(4, 4)
        with pytest.raises(lt.UnsupportedLayer, match=r"must be of float32, not bfloat16: call .float()"):
            network["fc"](x)


def test_autocast_changes_no_bit():
    network = nn.Sequential(nn.Linear(40, 8), nn.ReLU(), nn.Linear(8, 8))
    lt.quantize_(network, lt.BFP(), engine=lt.Engine(verify=1))
    x = torch.randn(3, 40)
    expected = network(x)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(x)
        found.sum().backward()
    assert torch.equal(found, expected)


def test_inexact_modes_of_pytorch():
    network = nn.ModuleDict({"fc": nn.Linear(4, 4)})
    lt.quantize_(network, lt.BFP())
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(
            lt.UnsafeArithmetic, match=r"layer 'fc': float32 products must be exact: call torch.set_float32"
        ):
            network["fc"](torch.zeros(2, 4))
    finally:
        torch.set_float32_matmul_precision("highest")
    torch.backends.mkldnn.conv.fp32_precision = "bf16"
    try:
        with pytest.raises(lt.UnsafeArithmetic, match=r"set torch.backends.mkldnn.conv.fp32_precision = 'ieee'"):
            network["fc"](torch.zeros(2, 4))
    finally:
        torch.backends.mkldnn.conv.fp32_precision = "none"
    network["fc"](torch.zeros(2, 4))


def test_the_self_test_finds_a_wrong_product(monkeypatch):
    network = nn.ModuleDict({"fc": nn.Linear(4, 4)})
    lt.quantize_(network, lt.BFP())
    right = exact.exact_product
    monkeypatch.setattr(exact, "exact_product", lambda a, b: right(a, b).nextafter(torch.tensor(9.0)))
    with pytest.raises(lt.UnsafeArithmetic, match="other bits than the golden engine"):
        network["fc"](torch.randn(2, 4))


@pytest.mark.parametrize("product", ["forward", "to_inputs", "to_weights"])
@pytest.mark.parametrize("module", [nn.Linear(16, 16), nn.Conv2d(16, 16, 3, padding=1)])
def test_verification_names_the_layer(monkeypatch, product, module):
    """A conversion that is wrong in one element is found in each product."""
    if not native.available(torch.zeros(1)):
        pytest.skip("no C compiler")
    network = nn.ModuleDict({"body": module.__class__(16, 16, *([3] if module.__class__ is nn.Conv2d else []))})
    engine = lt.Engine(verify=1)
    lt.quantize_(network, lt.BFP(), engine=engine)
    x = torch.randn((2, 16, 5, 5) if isinstance(module, nn.Conv2d) else (2, 16), requires_grad=True)
    y = network["body"](x)
    if product == "to_weights":
        x = x.detach()
        y = network["body"](x)
    right = native._converted

    def wrong(integers, *rest):
        integers.view(-1)[0] += 1
        return right(integers, *rest)

    monkeypatch.setattr(native, "_converted", wrong)
    with pytest.raises(lt.BitsDiffer, match=r"layer 'body': product \d+ \(.*\) differs from the reference") as error:
        network["body"](x) if product == "forward" else y.sum().backward()
    kinds = {"forward": "activations", "to_inputs": "gradients", "to_weights": "activations"}
    assert f"({kinds[product]} ({product})" in line(error)


def test_verification_of_every_third_product():
    class Counting(GoldenEngine):
        products = 0

        def multiply(self, *arguments, **options):
            self.products += 1
            return super().multiply(*arguments, **options)

    reference = Counting(Config())
    layer = nn.Linear(4, 4)
    lt.quantize_(layer, lt.BFP(), engine=lt.Engine(verify=3, reference=reference))
    for _ in range(7):
        layer(torch.randn(2, 4))
    assert reference.products == 2


def test_checkpoints_of_another_engine_or_settings():
    def made(config, settings):
        network = nn.ModuleDict({"fc": nn.Linear(4, 4)})
        lt.quantize_(network, settings, engine=lt.Engine(config))
        return network

    saved = made("default", lt.BFP()).state_dict()
    with pytest.raises(
        lt.CheckpointError, match=r"layer 'fc': the checkpoint has an engine with array.rows = 8, not"
    ) as error:
        made("tiny", lt.BFP()).load_state_dict(saved)
    line(error)
    with pytest.raises(
        lt.CheckpointError, match=r"layer 'fc': the checkpoint has BFP\(.*quantize the model with these"
    ):
        made("default", lt.BFP(seed=1)).load_state_dict(saved)
    with pytest.raises(RuntimeError, match="Unexpected key"):
        nn.ModuleDict({"fc": nn.Linear(4, 4)}).load_state_dict(saved)


def test_second_derivatives():
    layer = nn.Linear(4, 4)
    lt.quantize_(layer, lt.BFP())
    x = torch.randn(2, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_without_pytorch_the_package_names_its_extra():
    script = "import sys; sys.modules['torch'] = None; import lowtide_torch"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert re.search(r"MissingTorch: lowtide_torch needs PyTorch: pip install 'lowtide\[torch\]'$", done.stderr.strip())
