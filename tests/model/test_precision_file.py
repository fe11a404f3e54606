"""Precision files: bits of layers in TOML."""

import pytest

from lowtide.errors import LowtideError
from lowtide_model.precision_file import read_precision


def test_bits_of_layers(tmp_path):
    file = tmp_path / "precision.toml"
    file.write_text('# found by a search\n[precision]\nconv1 = 4\n"block.*" = [4, 2]\n"/head/MatMul" = "fp32"\n')
    assert read_precision(file) == {"conv1": (4, 4), "block.*": (4, 2), "/head/MatMul": None}
    assert list(read_precision(str(file))) == ["conv1", "block.*", "/head/MatMul"]  # the order matters to patterns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"must have the table \[precision\]$"),
        ("precision = 4", r"must have the table \[precision\]$"),
        ("[precision]\na = 4\n[bits]\nb = 4", r"must have the table \[precision\], and not 'bits'"),
        ("[precision]\na = 0", r"precision.a must be a number of bits, \[bits of A, bits of B\] or 'fp32', not 0"),
        ("[precision]\na = true", "precision.a must be a number of bits.*, not True"),
        ("[precision]\na = 4.0", "precision.a must be a number of bits.*, not 4.0"),
        ("[precision]\na = 'int8'", "precision.a must be a number of bits.*, not 'int8'"),
        ("[precision]\na = [4]", r"precision.a must be a number of bits.*, not \[4\]"),
        ("[precision]\na = [4, 2, 4]", r"precision.a must be a number of bits.*, not \[4, 2, 4\]"),
        ("[precision]\na = [4, 'fp32']", r"precision.a must be a number of bits.*, not \[4, 'fp32'\]"),
        ("[precision]\na = 65", "precision.a must be a number of bits.*, not 65"),
        ("[precision]\na.b = 4", r"precision.a must be a number of bits.*, not \{'b': 4\}"),
        ("[precision", "is not valid TOML"),
    ],
)
def test_other_contents_are_refused_in_one_line(tmp_path, text, message):
    file = tmp_path / "precision.toml"
    file.write_text(text)
    with pytest.raises(LowtideError, match=message) as error:
        read_precision(file)
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LowtideError, match=r"none.toml"):
        read_precision(tmp_path / "none.toml")
