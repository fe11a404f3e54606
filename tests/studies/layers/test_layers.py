"""Cycles and bytes of layers: figures that can be worked out by hand, and the command."""

import json

import attrs
import pytest

from lowtide.config import Config
from lowtide_model.engine.cycles import CycleModel, Shape, Work
from lowtide_model.layer_cost import Layer, Setting, layer_costs
from lowtide_studies.layers.command import command
from lowtide_studies.layers.networks import load_network
from lowtide_studies.layers.study import default_bits, measure

PACKED = Setting(bits_a=2, bits_b=2, packed=True)
SQUARE = Layer(name="square", m=256, k=256, n=256, count=8, transposed=True)


def test_figures_of_a_square_product():
    """32 × 32 tiles of 16 groups; a group of 2 bits takes two words, and FP32 results four bytes."""
    [cost] = layer_costs(Config(), [SQUARE], PACKED)
    assert (cost.macs, cost.ideal, cost.floor, cost.passes) == (8 * 256**3, 131_072, 131_072, 8)
    assert (cost.bytes_a, cost.bytes_b, cost.bytes_out) == (8 * 256 * 16 * 8, 8 * 256 * 16 * 8, 8 * 256 * 256 * 4)
    shape = Shape(lines=256, length=256, chunks=1, packed=True)
    assert cost.cycles == CycleModel(Config()).products([Work(a=shape, b=shape)] * 8)
    assert cost.busy.array == cost.floor
    assert cost.busy.tiles == cost.floor
    assert cost.limits == ["array", "results"]
    assert cost.share == cost.share_of_peak == cost.floor / cost.cycles


def test_floor_counts_whole_tiles_and_groups():
    [cost] = layer_costs(Config(), [Layer(name="edge", m=9, k=17, n=1)], Setting(bits_a=4, bits_b=2, packed=True))
    assert cost.floor == 2 * 1 * 2 * 2
    assert cost.ideal == 9 * 17 * 2 / (8 * 8 * 16)
    assert cost.limits == ["start-up"]


def test_cycles_of_layers_add_up_to_the_network():
    config, layers = Config(), load_network("transformer64").layers
    costs = layer_costs(config, layers, PACKED)
    works = [work for layer in layers for work in PACKED.works(config, layer)]
    assert sum(cost.cycles for cost in costs) == CycleModel(config).products(works)


def test_fp32_operands_arrive_in_the_order_of_memory():
    """A block of all columns arrives transposed. If the buffers split the columns, blocks arrive in order."""
    fp32 = attrs.evolve(PACKED, packed=False)
    assert {work.b.transposed for work in fp32.works(Config(), SQUARE)} == {True}
    wide = attrs.evolve(SQUARE, n=2048)
    assert {work.b.transposed for work in fp32.works(Config(), wide)} == {False}
    assert {work.b.transposed for work in PACKED.works(Config(), SQUARE)} == {False}
    assert {work.b.transposed for work in fp32.works(Config().changed({"engine.transpose_depth": 0}), SQUARE)} == {
        False
    }


def test_sums_on_chip_leave_no_partial_results():
    layer = Layer(name="long", m=128, k=4608, n=128)
    with_sums = Config().changed({"engine.sum_rows": 128})
    [without], [kept] = (layer_costs(config, [layer], PACKED) for config in (Config(), with_sums))
    assert without.bytes_out == 2 * 128 * 128 * 4
    assert kept.bytes_out == 128 * 128 * 4


@pytest.mark.parametrize(
    ("layer", "limit"),
    [
        (Layer(name="few outputs", m=1024, k=144, n=16), "loading A"),
        (Layer(name="few rows", m=8, k=256, n=2048), "loading B"),
        (Layer(name="short", m=128, k=64, n=128, count=4), "tile spacing"),
    ],
)
def test_limits(layer, limit):
    [cost] = layer_costs(Config(), [layer], PACKED)
    assert cost.limits[0] == limit
    assert cost.share < 0.6


def test_bandwidth_limits_cycles():
    [free] = layer_costs(Config(), [SQUARE], PACKED)
    [limited] = layer_costs(Config(), [SQUARE], attrs.evolve(PACKED, bandwidth=2.0))
    assert limited.cycles == limited.memory == (free.bytes_a + free.bytes_b + free.bytes_out) / 2
    assert limited.limits == ["memory"]


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        ({}, [(2, 2), (4, 4)]),
        ({"bfp.mantissa": 8}, [(2, 2), (4, 4), (8, 8)]),
        ({"bfp.chunk_a": 4, "bfp.chunk_b": 4}, [(4, 4)]),
        ({"bfp.mantissa": 2}, [(2, 2)]),
    ],
)
def test_default_precisions(changes, bits):
    assert default_bits(Config().changed(changes)) == bits


def test_transformer_block_reaches_its_targets():
    """128 tokens, packed operands, streams of 128 bits: 80 % of the floor at 2 bits, 97 % at 4 bits."""
    settings = [PACKED, attrs.evolve(PACKED, bits_a=4, bits_b=4)]
    two, four = measure(Config(), [load_network("transformer128")], settings)
    assert two.total.share > 0.8
    assert four.total.share > 0.97
    assert four.total.cycles / two.total.cycles > 3.2


def test_files_and_tables(run_study, tmp_path):
    result = run_study(command, "--quick", "--clock", "80", "--output", "out")
    assert result.exit_code == 0, result.output
    for text in ("Transformer block, 64 tokens, 2 × 2 bits", "attention scores", "Runs per second", "tile spacing"):
        assert text in result.stdout
    assert (tmp_path / "out" / "layers.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads((tmp_path / "out" / "layers.json").read_text(encoding="utf-8"))
    assert [(row["network"], row["bits_a"]) for row in found["rows"]] == [
        *(("mlp256", 2), ("mlp256", 4), ("transformer64", 2), ("transformer64", 4))
    ]
    for row in found["rows"]:
        assert sum(layer["cycles"] for layer in row["layers"]) == row["total"]["cycles"]


def test_json_on_standard_output(run_study):
    arguments = ["--network", "mlp256", "--bits", "4x2", "--operands", "fp32", "--bandwidth", "2", "--json"]
    result = run_study(command, "tiny", "--set", "bfp.max_k=256", *arguments)
    found = json.loads(result.stdout)
    [row] = found["rows"]
    assert (row["bits_a"], row["bits_b"], row["packed"], row["bandwidth"]) == (4, 2, False, 2.0)
    assert found["settings"]["config"]["bfp"]["max_k"] == 256


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bits", "4"], "bits must be pairs of integers from 1 to 64, such as 4x2, not '4'"),
        (["--bits", "3x2"], "bits must be one of 2, 4 (whole chunks up to bfp.mantissa), not 3"),
        (["--bits", "2x2,8x8"], "bits must be one of 2, 4 (whole chunks up to bfp.mantissa), not 8"),
        (["--network", "vgg"], "no network 'vgg'"),
        (["--bandwidth", "0"], "bandwidth must be above 0"),
        (["--clock", "fast"], "clock must be above 0"),
        (["terms"], "array.element must be fmac for block floating point, not 'tmac'"),
        (
            ["--set", "engine.packed_operands=false"],
            "operands must be fp32 for an engine without engine.packed_operands, not 'packed'",
        ),
    ],
)
def test_illegal_options_are_refused_in_one_line(arguments, message, refusal):
    assert refusal(command, *arguments).startswith(message)
