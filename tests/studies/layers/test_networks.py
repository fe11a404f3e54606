"""Networks of ``configs/layers``: their totals as published, and refusals of files."""

import pytest

from lowtide.config import ConfigError, presets
from lowtide_model.layer_cost import Layer
from lowtide_studies.layers.networks import known_networks, load_network

LAYER = '[[layer]]\nname = "a"\nm = 1\nk = 2\nn = 3\n'


@pytest.mark.parametrize(
    ("name", "macs", "published"),
    [
        ("resnet18", 1_814_073_344, 1.81e9),  # torchvision, GFLOPS of resnet18
        ("resnet20", 40_813_184, 40.81e6),  # chenyaofo/pytorch-cifar-models, MAdds of resnet20
        ("magika", 366_717_952, None),
        ("mlp256", 8 * 256**3, None),
        ("lstm650", 4 * 20 * 650 * 2600, None),
        ("transformer64", 64 * 12 * 256**2 + 2 * 64**2 * 256, None),
        ("transformer128", 128 * 12 * 256**2 + 2 * 128**2 * 256, None),
    ],
)
def test_totals(name, macs, published):
    network = load_network(name)
    assert network.macs == macs
    if published is not None:
        assert network.macs == pytest.approx(published, rel=0.003)


def test_networks_are_no_presets():
    assert known_networks() == [
        *("lstm650", "magika", "mlp256", "resnet18", "resnet20", "transformer128", "transformer64")
    ]
    assert not set(known_networks()) & set(presets())


def test_resnets_have_weights_of_the_published_number():
    """11,689,512 parameters of torchvision's resnet18 without 9,600 of batch normalization and 1,000 biases."""
    assert (
        sum(layer.k * layer.n * layer.count for layer in load_network("resnet18").layers) == 11_689_512 - 9_600 - 1_000
    )


def test_own_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(f'title = "Mine"\n{LAYER}count = 2\nweights = false\ntransposed = true\n', encoding="utf-8")
    network = load_network(str(file))
    assert (network.name, network.title, network.unit, network.macs) == ("mine", "Mine", "run", 12)
    assert network.layers == (Layer(name="a", m=1, k=2, n=3, count=2, weights=False, transposed=True),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "layer must be one or more tables, [[layer]]"),
        ("layer = 1", "layer must be one or more tables, [[layer]]"),
        ("rows = 1", "unknown key 'rows'; keys: title, unit, [[layer]]"),
        (f"title = 1\n{LAYER}", "title must be a line of text, not 1"),
        (LAYER.replace("m = 1\n", ""), "layer 1 must have the keys name, m, k, n; m is missing"),
        (LAYER.replace("m = 1", "m = 0"), "layer.m must be 1 or more, not 0"),
        (LAYER.replace("m = 1", "m = 2000000"), "layer.m must be from 1 to 1048576, not 2000000"),
        (f"{LAYER}weights = 1", "layer.weights must be one of False, True, not 1"),
        (f"{LAYER}rows = 1", "unknown key layer.rows; keys: name, m, k, n, count, weights, transposed"),
    ],
)
def test_illegal_files_are_refused_in_one_line(text, message, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_network(str(file))
    assert str(refused.value) == f"{file}: {message}"


def test_unknown_network_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no network 'resnet-18', did you mean resnet18\?"):
        load_network("resnet-18")
