"""Configuration: presets, files, and error messages."""

import re

import pytest

from lowtide.config import Config, ConfigError, presets, section_from
from lowtide.formats import Bfp


def test_presets_and_default():
    assert presets() == [
        "arty-a7",
        "default",
        "ecp5-85f",
        "ecpix5",
        "icebreaker",
        "large",
        "orangecrab",
        "tang-nano-9k",
        "terms",
        "tiny",
        "ulx3s",
        "ulx3s-8bit",
        "ulx3s-sums",
        "ulx3s-terms",
    ]
    assert Config.load() == Config.load("default") == Config()
    large = Config.load("large").array
    assert (large.rows, large.columns) == (256, 64)


@pytest.mark.parametrize("name", presets())
def test_tables_round_trip(name):
    config = Config.load(name)
    assert Config.from_tables(config.to_tables()) == config


def test_missing_keys_get_defaults(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[array]\nrows = 3\n")
    config = Config.load(str(file))
    assert (config.array.rows, config.array.columns) == (3, 8)
    assert config.bfp == Bfp()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[array]\nrows = 0", "array.rows must be from 1 to 512, not 0"),
        ('[array]\nrows = "8"', "array.rows must be from 1 to 512, not '8'"),
        ('[array]\nelement = "bmac"', "array.element must be one of fmac, tmac, pair_mac, pmac, not 'bmac'"),
        (
            "[array]\ncolums = 3",
            "unknown key array.colums, did you mean columns?; keys: rows, columns, element, operands",
        ),
        ('[array]\nelement = "fmac"\noperands = "integers"', "array.operands must be packed for the element fmac, not"),
        (
            '[array]\nelement = "tmac"\noperands = "integers"\n[terms]\nparallel = 2',
            "terms.parallel must be 1 where array.operands are integers (one term per cycle), not 2",
        ),
        ('[array]\nresults = "integers"', "array.results must be accumulators for the element fmac, not 'integers'"),
        (
            '[array]\nelement = "pmac"\nresults = "integers"\n[requantizer]\nlanes = 3',
            "requantizer.lanes must be a divisor of array.columns = 8: one of 1, 2, 4, 8, not 3",
        ),
        (
            "[terms]\nbudget = 33",
            "terms.budget must be from 1 to 32 (the maximum terms of group = 8 values, width = 8 in hese)",
        ),
        ("[bfp]\nlanes = 12", "bfp.lanes must be one of 4, 8, 16, 32, 64, not 12"),
        ("[bfp]\nmantissa = 3", "bfp.mantissa must be a multiple of chunk_a = 2 and chunk_b = 2"),
        ("[bpf]\nlanes = 4", "unknown section [bpf], did you mean bfp?; sections: array, bfp"),
        ("array = 3", "array must be a section, [array], not 3"),
        ("[array\nrows = 3", "is not valid TOML"),
    ],
)
def test_invalid_file_is_reported_in_one_line(tmp_path, text, message):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)) as raised:
        Config.load(str(file))
    assert str(raised.value).startswith(str(file))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("engine.numbers", 4, "engine.numbers was renamed to engine.input_width"),
        ("engine.results", 4, "engine.results was renamed to engine.output_width"),
        ("engine.words", 1024, "engine.words was renamed to engine.buffer_depth"),
        ("engine.turn", 256, "engine.turn was renamed to engine.transpose_depth"),
        ("engine.random", 3, "engine.random was renamed to engine.random_bits"),
        ("engine.generator", 16, "engine.generator was renamed to engine.lfsr_bits"),
        ("engine.counter", 32, "engine.counter was renamed to engine.counter_bits"),
        ("requantizer.counter", 16, "requantizer.counter was renamed to requantizer.counter_bits"),
        ("requantiser.lanes", 1, "section [requantiser] was renamed to [requantizer]"),
        ("array.operands", "words", "array.operands = 'words' was renamed to 'packed'"),
    ],
)
def test_renamed_key_is_refused_with_its_new_name(lowtide, tmp_path, key, value, message):
    section, _, name = key.partition(".")
    file = tmp_path / "old.toml"
    file.write_text(f"[{section}]\n{name} = {value!r}\n")
    with pytest.raises(ConfigError, match=re.escape(f"{file}: {message}") + "$"):
        Config.load(str(file))
    with pytest.raises(ConfigError, match=re.escape(message) + "$"):
        Config().changed({key: value})
    result = lowtide("emit", "-o", tmp_path / "rtl", "--set", f"{key}={value}")
    assert (result.code, result.err) == (1, f"lowtide: {message}\n")


def test_misspelled_preset_suggests_the_nearest():
    with pytest.raises(ConfigError, match=r"no preset 'defualt', did you mean default\?; presets: arty-a7, "):
        Config.load("defualt")


def test_missing_file():
    with pytest.raises(ConfigError, match=re.escape("cannot read nowhere.toml: No such file or directory")):
        Config.load("nowhere.toml")


def test_binary_file_is_refused(tmp_path):
    file = tmp_path / "binary.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        Config.load(str(file))


def test_section_from_without_a_name():
    with pytest.raises(ConfigError, match=r"^lanes must be"):
        section_from(Bfp, {"lanes": 5})
