"""Networks inside of packages: magika, silero-vad and rapidocr-onnxruntime, each skipped if it is not installed."""

import importlib.util
import sysconfig
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import lowtide_onnx
from lowtide.errors import CommandError

pytestmark = pytest.mark.slow
FILES = 60


def packaged(package, file):
    """A file in a package, which is not imported."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"needs the package {package}")
    path = Path(found.submodule_search_locations[0]) / file
    if not path.exists():
        pytest.skip(f"{package} has no {file}")
    return path


def bytes_of(file):
    """Inputs of magika: the first and the last 1,024 bytes without white space, padded with 256."""
    content = file.read_bytes()
    first, last = content[:4096].lstrip()[:1024], content[-4096:].rstrip()[-1024:]
    padding = [256] * (1024 - len(first)), [256] * (1024 - len(last))
    return [*first, *padding[0], *padding[1], *last]


def test_magika_names_the_kinds_of_files_as_in_fp32():
    network = lowtide_onnx.load_onnx(packaged("magika", "models/standard_v3_3/model.onnx"))
    folders = Path(__file__).parents[2], Path(sysconfig.get_paths()["stdlib"])
    kinds = (".py", ".md", ".toml", ".svg", ".png", ".txt", ".so")
    files = [
        file
        for kind in kinds
        for folder in folders
        for file in sorted(folder.rglob(f"*{kind}"))[:300:40]
        if file.is_file() and file.stat().st_size > 200
    ][:FILES]
    x = np.array([bytes_of(file) for file in files], np.int32)
    assert len(x) > 20
    expected = network.predict(x, "fp32")["target_label"].argmax(-1)
    for bits, least in ((4, 0.9), (2, 0.8)):
        assert (network.predict(x, bits)["target_label"].argmax(-1) == expected).mean() >= least
    network.check(x[:1])
    report = network.report(x[:1], 4)
    assert sum(one.macs for one in report.layers) == 2048 * 257 * 64 + 508 * 1280 * 512 + 512 * 214


def test_silero_recognizes_silence_as_in_fp32():
    network = lowtide_onnx.load_onnx(packaged("silero_vad", "data/silero_vad_16k_sequence.onnx"))
    x = {"input": np.zeros((20, 576), np.float32), "h": np.zeros((1, 1, 128), np.float32)}
    x["c"] = x["h"]
    x["input"] += np.random.default_rng(1).standard_normal(x["input"].shape).astype(np.float32) / 100
    network.check(x)
    exact, found = (network.predict(x, precision)["speech_probs"] for precision in ("fp32", 4))
    assert exact.max() < 0.1
    np.testing.assert_allclose(found, exact, atol=0.1)
    assert {one.product for one in network.report(x).layers if one.operation == "LSTM"} == {"inputs", "hidden"}


def test_silero_with_two_networks_in_a_node_is_refused():
    network = lowtide_onnx.load_onnx(packaged("silero_vad", "data/silero_vad.onnx"))
    inputs = {
        "input": np.zeros((1, 576), np.float32),
        "state": np.zeros((2, 1, 128), np.float32),
        "sr": np.array(16000),
    }
    with pytest.raises(lowtide_onnx.RefusedNode, match=r"\(If\): it has products inside: Conv, LSTM; leave the node"):
        network.predict(inputs)
    assert network.predict(inputs, "fp32")["output"].shape == (1, 1)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        ("ch_PP-OCRv4_rec_infer.onnx", (1, 3, 48, 96)),
        ("ch_PP-OCRv4_det_infer.onnx", (1, 3, 96, 64)),
        ("ch_ppocr_mobile_v2.0_cls_infer.onnx", (1, 3, 48, 192)),
    ],
)
def test_character_recognition_equals_onnxruntime(model, shape):
    """Attention, depthwise convolutions, and a detector whose transposed convolutions stay on the host."""
    network = lowtide_onnx.load_onnx(packaged("rapidocr_onnxruntime", f"models/{model}"))
    x = network.random_inputs(1, {"x": shape})
    network.check(x)
    precision = {**dict.fromkeys(network.refused, "fp32"), "*": 4}
    report = network.report(x, precision, operands="packed")
    assert report.total is not None
    assert {one.name for one in report.layers} == set(network.layers)
    assert all(one.sqnr > 5 for one in report.layers)


@pytest.fixture
def drawn_lines(tmp_path):
    """Function that loads the recognizer, and draws lines, of which the first ones tune weights; and their labels."""
    pytest.importorskip("PIL")
    pytest.importorskip("sklearn")
    from lowtide_studies.layer_precision.lines import write_lines

    def draw(count, tuning=0):
        model = packaged("rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx")
        try:
            inputs, labels = write_lines(str(model), tmp_path, count, tuning)
        except CommandError as error:
            pytest.skip(str(error))
        return lowtide_onnx.load_onnx(model), np.load(inputs)["x"], np.load(labels)

    return draw


def test_drawn_lines_are_read(drawn_lines):
    """The recognizer reads the drawn lines as their labels say."""
    from lowtide_studies.layer_precision.metrics import characters

    network, images, labels = drawn_lines(16)
    outputs = network.predict(images, "fp32")[network.outputs[0]]
    assert characters(outputs, labels) > 0.9
    assert characters(outputs[::-1], labels) < 0.5


def test_tuned_weights_read_other_lines_in_four_bits(drawn_lines):
    """The noise of the outputs for other lines, in other typefaces, falls by more than 3 dB."""
    network, images, _ = drawn_lines(8, 16)
    assert len(network.tunable) == 47
    tuned = network.tuned(images[:16], 4, batch=8)
    exact = network.predict(images[16:], "fp32")[network.outputs[0]]
    noise = [np.square(one.predict(images[16:], 4)[network.outputs[0]] - exact).sum() for one in (network, tuned)]
    assert noise[1] < noise[0] / 2
