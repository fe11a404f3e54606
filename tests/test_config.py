"""The configuration: presets, files, and what is said of bad ones."""

import re

import pytest

from lowtide.config import Config, ConfigError, presets, section_from
from lowtide.formats import Bfp


def test_presets_load_and_the_default_is_the_default():
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
    ]
    assert Config.load() == Config.load("default") == Config()
    large = Config.load("large").array
    assert (large.rows, large.columns) == (256, 64)


@pytest.mark.parametrize("name", presets())
def test_tables_of_a_configuration_give_it_back(name):
    config = Config.load(name)
    assert Config.from_tables(config.to_tables()) == config


def test_a_file_may_leave_keys_out(tmp_path):
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
            "terms.parallel must be 1 where array.operands are integers, of which a cycle makes a term, not 2",
        ),
        ('[array]\nresults = "integers"', "array.results must be accumulators for the element fmac, not 'integers'"),
        (
            '[array]\nelement = "pmac"\nresults = "integers"\n[requantizer]\nlanes = 3',
            "requantizer.lanes must be a divisor of array.columns = 8: one of 1, 2, 4, 8, not 3",
        ),
        (
            "[terms]\nbudget = 33",
            "terms.budget must be from 1 to 32 (what group = 8 values have at most, of width = 8 in hese)",
        ),
        ("[bfp]\nlanes = 12", "bfp.lanes must be one of 4, 8, 16, 32, 64, not 12"),
        ("[bfp]\nmantissa = 3", "bfp.mantissa must be a multiple of chunk_a = 2 and chunk_b = 2"),
        ("[bpf]\nlanes = 4", "unknown section [bpf], did you mean bfp?; sections: array, bfp"),
        ("array = 3", "array must be a section, [array], not 3"),
        ("[array\nrows = 3", "is not valid TOML"),
    ],
)
def test_a_bad_file_gets_one_line_that_names_it(tmp_path, text, message):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)) as raised:
        Config.load(str(file))
    assert str(raised.value).startswith(str(file))
    assert "\n" not in str(raised.value)


def test_a_misspelt_preset_names_the_nearest():
    with pytest.raises(ConfigError, match=r"no preset 'defualt', did you mean default\?; presets: arty-a7, "):
        Config.load("defualt")


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=re.escape("cannot read nowhere.toml: No such file or directory")):
        Config.load("nowhere.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    file = tmp_path / "binary.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        Config.load(str(file))


def test_a_unit_alone_drops_the_section():
    with pytest.raises(ConfigError, match=r"^lanes must be"):
        section_from(Bfp, {"lanes": 5})
