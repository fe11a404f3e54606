"""Every fault of a TOML file is one line, and is found at once."""

import os
import time
from contextlib import suppress

import pytest

from lowtide.config import Config, ConfigError
from lowtide.toml_file import MOST_BYTES

NO_TOML = "is not valid TOML: "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\ufeff[array]\nrows = 1\n", NO_TOML + "it starts with a byte-order mark; save it as UTF-8 without one"),
        ("[array]\nrows = " + "1" * 5000, NO_TOML + "an integer has too many digits"),
        ("[array]\nrows = " + "[" * 3000 + "]" * 3000, NO_TOML + "its brackets are nested too deeply"),
        ("[array]\nrows = " + "{a=" * 3000 + "1" + "}" * 3000, NO_TOML + "its brackets are nested too deeply"),
        ("[array]\nrows = " + "1" * 500, "array.rows must be from 1 to 512, not an integer of 1658 bits"),
        ("[array]\nrows = 0x" + "f" * 5000, "array.rows must be from 1 to 512, not an integer of 20000 bits"),
        ("[array]\nrows = [0x" + "f" * 5000 + "]", "array.rows must be from 1 to 512, not [an integer of 20000 bits]"),
        ("[array]\nrows = " + "a." * 3000 + "a = 1", NO_TOML),
        ("array.rows." + "a." * 3000 + "a = 1", "array.rows must be from 1 to 512, not {'a': {'a': "),
        ("array." + "a." * 3000 + "a = 1", "unknown key array.a"),
        ("[array]\nrows = 1\nrows = 1\n", NO_TOML + "Cannot overwrite a value"),
        ("[array]\n[array]\n", NO_TOML + "Cannot declare"),
        ("array.rows = 1\n[array]\ncolumns = 1\n", NO_TOML),
        ("[[array]]\nrows = 1\n", "array must be a section, [array], not [{'rows': 1}]"),
        ("[array]\nrows = 2020-01-01\n", "array.rows must be from 1 to 512, not datetime.date(2020, 1, 1)"),
        ("[array]\nrows = 2020-13-01\n", NO_TOML),
        ("[array]\nrows = inf\n", "array.rows must be from 1 to 512, not inf"),
        ("[array]\nrows = -nan\n", "array.rows must be from 1 to 512, not nan"),
        ("[array]\nrows = 1.0\n", "array.rows must be from 1 to 512, not 1.0"),
        ("[array]\nrows = true\n", "array.rows must be from 1 to 512, not True"),
        ("[array]\nrows = '''\n1'''\n", "array.rows must be from 1 to 512, not '1'"),
        ('[array]\nelement = "tm\\nac"\n', "array.element must be one of fmac, tmac, pair_mac, pmac, not 'tm\\nac'"),
        ('[array]\n"ro\\nws" = 1\n', "unknown key array.'ro\\nws'"),
        ('["arr\\tay"]\n', "unknown section ['arr\\tay']"),
        ('["' + "n" * 5000 + '"]\n', "unknown section ['nnn"),
        ("[array]\nrows = 1\0\n", NO_TOML),
        ("[array]\rrows = 1\r", NO_TOML),
        ("[array]\nrows = ١\n", NO_TOML),
        ("[array]\nrows = 01\n", NO_TOML),
    ],
)
def test_fault_is_reported_in_one_line(tmp_path, content, message):
    file = tmp_path / "c.toml"
    file.write_text(content, encoding="utf-8", newline="")
    with pytest.raises(ConfigError) as error:
        Config.load(str(file))
    assert message in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_another_encoding(tmp_path, encoding):
    file = tmp_path / "c.toml"
    file.write_bytes("[array]\nrows = 1 # \xfc\n".encode(encoding))
    with pytest.raises(ConfigError, match=r"it is not UTF-8 text|is not valid TOML"):
        Config.load(str(file))


def test_not_a_regular_file(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "device.toml").symlink_to("/dev/zero")
    (tmp_path / "large.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    for name, reason in (
        ("folder", "Is a directory"),
        ("pipe", "it is not a regular file"),
        ("device", "it is not a regular file"),
        ("large", "the file must have at most 16,384 bytes"),
        ("a\0b", "not a legal name"),
    ):
        with pytest.raises(ConfigError, match=f"cannot read .*: {reason}"):
            Config.load(str(tmp_path / f"{name}.toml"))


def test_largest_file_is_read_quickly(tmp_path):
    file = tmp_path / "c.toml"
    for content in ("a." * (MOST_BYTES // 2 - 2) + "a=1", "a=" + "[" * (MOST_BYTES - 2), "#" * MOST_BYTES):
        file.write_text(content)
        started = time.process_time()
        with suppress(ConfigError):
            Config.load(str(file))
        assert time.process_time() - started < 2


@pytest.mark.parametrize("content", ["", "\n", "# only a comment", "[array]\n", "[array]\r\nrows = 8\r\n"])
def test_empty_file_is_legal(tmp_path, content):
    file = tmp_path / "c.toml"
    file.write_bytes(content.encode())
    assert Config.load(str(file)) == Config()
