"""Modules on an engine against a slow reference of golden products, forward and backward."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import reference  # noqa: E402

import lowtide_torch as lt  # noqa: E402
from lowtide.config import Config  # noqa: E402

CONFIGS = {
    "default": Config(),
    "sums": Config().changed(
        {"bfp.max_k": 64, "engine.buffer_depth": 16, "engine.sum_rows": 8, "engine.sum_columns": 8}
    ),
    "sliced": Config().changed({"bfp.max_k": 24, "bfp.lanes": 8, "engine.buffer_depth": 16}),
}
KINDS = {"weights": (4, "nearest"), "activations": (4, "truncate"), "gradients": (2, "stochastic")}
SETTINGS = lt.BFP(weights=lt.Nearest(4), activations=lt.Truncate(4), gradients=lt.Stochastic(2), seed=5)
RANDOM = {"weights": (4, "stochastic"), "activations": (2, "stochastic"), "gradients": (4, "stochastic")}
RANDOM_SETTINGS = lt.BFP(weights=lt.Stochastic(4), activations=lt.Stochastic(2), gradients=lt.Stochastic(4), seed=5)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(params=CONFIGS)
def config(request):
    return CONFIGS[request.param]


def on_engine(module, config, settings=SETTINGS):
    lt.quantize_(module, settings, engine=lt.Engine(config))
    return module


def equal(found, expected):
    found = found.detach().numpy()
    np.testing.assert_array_equal(found.view(np.uint32), np.ascontiguousarray(expected, np.float32).view(np.uint32))


@pytest.mark.parametrize(("settings", "kinds"), [(SETTINGS, KINDS), (RANDOM_SETTINGS, RANDOM)])
def test_linear(config, settings, kinds):
    torch.manual_seed(1)
    layer = on_engine(torch.nn.Linear(37, 11), config, settings)
    products = reference.Products(config, 5, kinds)
    for call in range(2):
        layer.zero_grad()
        x = torch.randn(3, 7, 37, requires_grad=True)
        y = layer(x)
        dy = torch.randn_like(y)
        y.backward(dy)
        rows, weight = x.detach().numpy().reshape(21, 37), layer.weight.detach().numpy()
        bias = layer.bias.detach().numpy()
        equal(y.reshape(21, 11), products.linear(rows, weight, call=call) + bias)
        dx, dw = products.linear_gradients(rows, weight, dy.numpy().reshape(21, 11), call=call)
        equal(x.grad.reshape(21, 37), dx)
        equal(layer.weight.grad, dw)


CONVOLUTIONS = {
    "stem": {"shape": (2, 3, 6, 7), "outputs": 5, "kernel": (3, 3), "padding": (1, 1)},
    "whole groups": {"shape": (2, 16, 5, 16), "outputs": 4, "kernel": (3, 3), "padding": (1, 1)},
    "strided": {"shape": (2, 16, 6, 7), "outputs": 4, "kernel": (3, 2), "stride": (2, 3), "padding": (0, 1)},
    "one by one": {"shape": (3, 16, 4, 5), "outputs": 8, "kernel": (1, 1)},
    "shortcut": {"shape": (2, 16, 4, 6), "outputs": 8, "kernel": (1, 1), "stride": (2, 2)},
    "dilated": {"shape": (1, 8, 7, 7), "outputs": 3, "kernel": (2, 3), "dilation": (2, 2), "padding": (2, 1)},
    "grouped": {"shape": (2, 32, 4, 4), "outputs": 6, "kernel": (3, 3), "padding": (1, 1), "groups": 2},
    "depthwise": {"shape": (2, 6, 5, 5), "outputs": 6, "kernel": (3, 3), "padding": (1, 1), "groups": 6},
}
PLAIN = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}


@pytest.mark.parametrize(("settings", "kinds"), [(SETTINGS, KINDS), (RANDOM_SETTINGS, RANDOM)])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(config, name, settings, kinds):
    case = CONVOLUTIONS[name]
    geometry = {key: case.get(key, default) for key, default in PLAIN.items()}
    torch.manual_seed(2)
    module = torch.nn.Conv2d(case["shape"][1], case["outputs"], case["kernel"], bias=False, **geometry)
    layer = on_engine(module, config, settings)
    products = reference.Products(config, 5, kinds)
    x = torch.randn(case["shape"], requires_grad=True)
    y = layer(x)
    dy = torch.randn_like(y)
    y.backward(dy)
    images, weight = x.detach().numpy(), layer.weight.detach().numpy()
    equal(y, products.convolution(images, weight, geometry))
    dx, dw = products.convolution_gradients(images, weight, dy.numpy(), geometry)
    equal(x.grad, dx)
    equal(layer.weight.grad, dw)


@pytest.mark.parametrize("padding", [1, "same", "valid"])
def test_convolution_of_one_dimension_is_a_convolution_of_one_row(padding):
    torch.manual_seed(3)
    line = torch.nn.Conv1d(16, 4, 3, padding=padding)
    plane = torch.nn.Conv2d(16, 4, (1, 3), padding=padding if isinstance(padding, str) else (0, 1))
    plane.weight.data, plane.bias.data = line.weight.data[:, :, None], line.bias.data
    x = torch.randn(2, 16, 9)
    for layer in (line, plane):
        on_engine(layer, CONFIGS["default"])
    assert torch.equal(line(x), plane(x[:, :, None])[:, :, 0])
    assert torch.equal(line(x[0]), line(x)[0]) or x[0].abs().max() != x.abs().max()


@pytest.mark.parametrize("mode", ["reflect", "circular", "zeros"])
def test_the_host_pads_images(mode):
    torch.manual_seed(4)
    layer = torch.nn.Conv2d(4, 3, 3, padding=1, padding_mode=mode, bias=False)
    x = torch.randn(2, 4, 5, 5)
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="constant" if mode == "zeros" else mode)
    geometry = dict(PLAIN)
    on_engine(layer, CONFIGS["default"])
    products = reference.Products(CONFIGS["default"], 5, KINDS)
    equal(layer(x), products.convolution(padded.numpy(), layer.weight.detach().numpy(), geometry))


def test_matmul(config):
    torch.manual_seed(5)
    layer = on_engine(lt.Matmul(), config)
    a, b = torch.randn(2, 3, 5, 19, requires_grad=True), torch.randn(2, 3, 19, 6, requires_grad=True)
    y = layer(a, b)
    dy = torch.randn_like(y)
    y.backward(dy)
    products = reference.Products(config, 5, KINDS)
    left, right = a.detach().numpy().reshape(6, 5, 19), b.detach().numpy().reshape(6, 19, 6)
    equal(y.reshape(6, 5, 6), products.matmul(left, right))
    da, db = products.matmul_gradients(left, right, dy.numpy().reshape(6, 5, 6))
    equal(a.grad.reshape(6, 5, 19), da)
    equal(b.grad.reshape(6, 19, 6), db)


def test_attention(config):
    """Each product equals the reference's, given the operands that the host computed."""
    torch.manual_seed(6)
    layer = on_engine(torch.nn.MultiheadAttention(8, 2, batch_first=True), config)
    query, key = torch.randn(3, 4, 8), torch.randn(3, 5, 8)
    found, weights = layer(query, key, key, average_attn_weights=False)
    products = reference.Products(config, 5, KINDS)
    parts = []
    for site, x in enumerate((query, key, key)):
        weight, bias = (
            one.detach().numpy()[8 * site : 8 * site + 8] for one in (layer.in_proj_weight, layer.in_proj_bias)
        )
        part = products.linear(x.numpy().reshape(-1, 8), weight, site=site) + bias
        parts.append(part.reshape(3, -1, 2, 4).transpose(0, 2, 1, 3).reshape(6, -1, 4))
    q, k, v = parts
    scores = products.matmul(q * np.float32(0.5), k.transpose(0, 2, 1), site=3)
    softmax = torch.softmax(torch.from_numpy(scores), -1).numpy()
    equal(weights.reshape(6, 4, 5), softmax)
    heads = products.matmul(softmax, v, site=4).reshape(3, 2, 4, 4).transpose(0, 2, 1, 3).reshape(12, 8)
    out = products.linear(heads, layer.out_proj.weight.detach().numpy(), site=5)
    equal(found.reshape(12, 8), out + layer.out_proj.bias.detach().numpy())


def test_attention_module_equals_the_products():
    torch.manual_seed(7)
    layer = on_engine(lt.ScaledDotProductAttention(causal=True), CONFIGS["default"])
    q, k, v = (torch.randn(2, 2, 5, 4) for _ in range(3))
    products = reference.Products(CONFIGS["default"], 5, KINDS)
    scores = products.matmul((q / 2).numpy().reshape(4, 5, 4), k.numpy().reshape(4, 5, 4).swapaxes(1, 2), site=0)
    masked = np.where(np.tri(5, dtype=bool), scores, -np.inf).astype(np.float32)
    weights = torch.softmax(torch.from_numpy(masked), -1).numpy()
    equal(layer(q, k, v).reshape(4, 5, 4), products.matmul(weights, v.numpy().reshape(4, 5, 4), site=1))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent(config, kind):
    """Outputs of a layer of two directions, and the gradient of the input weights of the last direction."""
    torch.manual_seed(8)
    layer = on_engine(getattr(torch.nn, kind)(6, 5, bidirectional=True), config)
    x = torch.randn(3, 2, 6)
    products = reference.Products(config, 5, KINDS)
    expected = []
    for direction, suffix in enumerate(("l0", "l0_reverse")):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ih, hh, bi, bh = (getattr(layer, f"{name}_{suffix}").detach().numpy() for name in names)
        gates = (products.linear(x.numpy().reshape(6, 6), ih, site=2 * direction) + bi).reshape(3, 2, -1)
        h = c = np.zeros((2, 5), np.float32)
        outputs = {}
        for call, t in enumerate(range(3) if direction == 0 else reversed(range(3))):
            hidden = products.linear(h, hh, site=2 * direction + 1, call=call) + bh
            h, c = cell(
                kind, torch.from_numpy(gates[t]), torch.from_numpy(hidden), torch.from_numpy(h), torch.from_numpy(c)
            )
            outputs[t] = h
        expected.append(np.stack([outputs[t] for t in range(3)]))
    y, _ = layer(x)
    equal(y, np.concatenate(expected, -1))


def cell(kind, gates, hidden, h, c):
    """A cell by PyTorch's own formulas, on the host."""
    if kind == "LSTM":
        i, f, g, o = (gates + hidden).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return (torch.sigmoid(o) * torch.tanh(c)).numpy(), c.numpy()
    r, z, n = gates.chunk(3, -1)
    hr, hz, hn = hidden.chunk(3, -1)
    reset, update = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
    return ((1 - update) * torch.tanh(n + reset * hn) + update * h).numpy(), c.numpy()


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("options", [{}, {"batch_first": True}, {"num_layers": 2, "bidirectional": True}])
def test_recurrent_layers_have_the_structure_of_pytorch(kind, options):
    """With magnitudes of 12 bits, results are near PyTorch's."""
    torch.manual_seed(9)
    config = Config().changed({"bfp.mantissa": 12, "bfp.exponent": 4})
    layer = getattr(torch.nn, kind)(7, 5, **options)
    x = torch.randn(4, 3, 7)
    y, last = layer(x)
    fine = lt.BFP(weights=lt.Nearest(12), activations=lt.Nearest(12), gradients=lt.Nearest(12))
    found, found_last = on_engine(layer, config, fine)(x)
    assert torch.allclose(found, y, atol=2e-3)
    for one, other in zip(last, found_last, strict=True):
        assert torch.allclose(one, other, atol=2e-3)


ATTENTIONS = {
    "sequence first": ({}, {}),
    "batch first": ({"batch_first": True}, {}),
    "without bias": ({"bias": False}, {}),
    "other keys and values": ({"kdim": 6, "vdim": 10}, {}),
    "weights of heads": ({}, {"average_attn_weights": False}),
    "no weights": ({}, {"need_weights": False}),
    "boolean mask": ({}, {"attn_mask": torch.ones(5, 5, dtype=torch.bool).triu(1)}),
    "added mask": ({}, {"attn_mask": torch.linspace(-1, 1, 25).reshape(5, 5)}),
    "mask of heads": ({}, {"attn_mask": torch.arange(6 * 25).reshape(6, 5, 5) % 3 == 1}),
    "padding": ({}, {"key_padding_mask": torch.tensor([[False] * 4 + [True]] * 3)}),
    "causal": ({}, {"attn_mask": torch.ones(5, 5, dtype=torch.bool).triu(1), "is_causal": True}),
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention_has_the_structure_of_pytorch(name):
    """With magnitudes of 12 bits, results are near PyTorch's."""
    torch.manual_seed(12)
    options, arguments = ATTENTIONS[name]
    config = Config().changed({"bfp.mantissa": 12, "bfp.exponent": 4})
    layer = torch.nn.MultiheadAttention(8, 2, **options)
    depths = 8, options.get("kdim", 8), options.get("vdim", 8)
    inputs = [torch.randn(3, 5, depth) if options.get("batch_first") else torch.randn(5, 3, depth) for depth in depths]
    expected, weights = layer(*inputs, **arguments)
    fine = lt.BFP(weights=lt.Nearest(12), activations=lt.Nearest(12), gradients=lt.Nearest(12))
    found, found_weights = on_engine(layer, config, fine)(*inputs, **arguments)
    assert torch.allclose(found, expected, atol=2e-3)
    assert (weights is None) == (found_weights is None)
    assert weights is None or torch.allclose(found_weights, weights, atol=2e-3)


def test_attention_of_one_sequence_and_of_recurrent_layers_without_batch():
    torch.manual_seed(13)
    config = Config().changed({"bfp.mantissa": 12, "bfp.exponent": 4})
    fine = lt.BFP(weights=lt.Nearest(12), activations=lt.Nearest(12), gradients=lt.Nearest(12))
    x = torch.randn(5, 8)
    for layer in (torch.nn.MultiheadAttention(8, 2), torch.nn.LSTM(8, 4), torch.nn.GRU(8, 4, batch_first=True)):
        arguments = (x, x, x) if isinstance(layer, torch.nn.MultiheadAttention) else (x,)
        expected = layer(*arguments)[0]
        found = on_engine(layer, config, fine)(*arguments)[0]
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, atol=2e-3)


def test_gradients_of_a_network_are_near_those_of_pytorch():
    """Every kind of layer, with magnitudes of 12 bits."""
    torch.manual_seed(10)
    config = Config().changed({"bfp.mantissa": 12, "bfp.exponent": 4})
    fine = lt.BFP(weights=lt.Nearest(12), activations=lt.Nearest(12), gradients=lt.Nearest(12))

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = torch.nn.Conv2d(3, 8, 3, padding=1)
            self.depthwise = torch.nn.Conv2d(8, 8, 3, stride=2, groups=8)
            self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
            self.lstm = torch.nn.LSTM(8, 6, batch_first=True)
            self.gru = torch.nn.GRU(6, 6, batch_first=True)
            self.head = torch.nn.Linear(6, 4)

        def forward(self, x):
            x = self.depthwise(torch.tanh(self.stem(x))).flatten(2).transpose(1, 2)
            x = self.attention(x, x, x)[0]
            return self.head(self.gru(self.lstm(x)[0])[0])

    network = Network()
    x = torch.randn(2, 3, 8, 8)
    network(x).square().mean().backward()
    plain = {name: one.grad.clone() for name, one in network.named_parameters()}
    network.zero_grad()
    lt.quantize_(network, fine, engine=lt.Engine(config))
    network(x).square().mean().backward()
    for name, one in network.named_parameters():
        assert torch.allclose(one.grad, plain[name], atol=0.02 * float(plain[name].abs().max()) + 1e-7), name


def test_term_revealing_equals_the_golden_terms():
    from lowtide_model.terms import quantize_integers, term_matmul

    torch.manual_seed(11)
    layer = torch.nn.Linear(19, 6, bias=False)
    settings = lt.TR(width=8, group=8, budget=10, data_terms=2)
    lt.quantize_(layer, settings)
    x = torch.randn(5, 19)
    data, weights = quantize_integers(x.numpy(), 8), quantize_integers(layer.weight.detach().numpy(), 8)
    sums = term_matmul(data.integers, weights.integers.T, width=8, group=8, budget=10, data_terms=2)
    equal(layer(x), (sums * float(data.scale.item() * weights.scale.item())).astype(np.float32))
