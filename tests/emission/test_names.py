"""Names of modules: what Verilog and SystemVerilog do not accept is refused before anything is written."""

import re
import shutil
import subprocess

import pytest

from lowtide.cli import main
from lowtide.config import Config
from lowtide.emission import emit, emit_engine, emit_serial, emit_unit
from lowtide.formats import IllegalValue
from lowtide.netlist.identifier import LONGEST, RESERVED, check_identifier

TINY = Config.load("tiny").changed(
    {"array.rows": 1, "array.columns": 1, "engine.output_width": 1, "engine.buffer_depth": 16}
)
FORM = "a letter or _, then letters, digits, _ or $ (of ASCII alone)"
WORD = "a word that neither Verilog-2005 nor SystemVerilog-2017 reserves"
NOT_IDENTIFIERS = [
    "",
    " ",
    "1abc",
    "a b",
    "a-b",
    "a.b",
    "$a",
    "a\n",
    "\n",
    "a\tb",
    "../up",
    "/tmp/up",
    "a/b",
    "\\a ",
    "\\a",
]
NOT_IDENTIFIERS += ["größe", "naïve", "ａ", "a٣", "a;", "a(", "a'b", 'a"b', "`a", "a#", "a\0b", "-o", "--", "a\\"]
EMITTERS = {
    "array": emit,
    "engine": emit_engine,
    "serial": emit_serial,
    "unit": lambda config, folder, **names: emit_unit("rounder", config, {}, folder, **names),
}


def refusal(key, name):
    with pytest.raises(IllegalValue) as refused:
        check_identifier(key, name)
    return str(refused.value)


@pytest.mark.parametrize("name", [*NOT_IDENTIFIERS, None, 5, True, b"abc"])
def test_illegal_identifiers_are_refused(name):
    assert refusal("name", name) == f"name must be {FORM}, not {name!r}"


@pytest.mark.parametrize("name", ["a", "_", "A9", "_1", "a_b", "a$b", "Module", "modules", "INT", "x" * LONGEST])
def test_legal_identifiers(name):
    check_identifier("name", name)


def test_a_name_must_leave_room_for_the_ending_of_a_file(tmp_path):
    assert (
        refusal("prefix", "x" * 251)
        == f"prefix must be 250 characters long at most, not '{'x' * 20}… of 251 characters'"
    )
    files = emit_unit("serial_hese", Config(), {}, tmp_path, prefix="x" * 250)
    assert [file.suffix for file in files] == [".v", ".json"]
    files = emit(TINY, tmp_path, "x" * 250)
    assert [len(file.name) for file in files] == [252, 255]


def test_every_reserved_word_is_refused():
    """124 words of Verilog-2005, and as many again of SystemVerilog-2017."""
    assert len(RESERVED) == 248
    assert {"module", "endmodule", "uwire", "config", "int", "logic", "checker", "unique0", "nettype"} < RESERVED
    for word in RESERVED:
        assert refusal("name", word) == f"name must be {WORD}, not {word!r}"


def test_icarus_refuses_reserved_words(tmp_path):
    """Of SystemVerilog as of 2012, the latest that it knows, which reserves what SystemVerilog-2017 does."""
    icarus = shutil.which("iverilog")
    if not icarus:
        pytest.skip("Icarus is not installed")
    taken = set()
    for word in [*sorted(RESERVED), "ordinary"]:
        (tmp_path / "word.v").write_text(f"module {word}(input a, output b); assign b = a; endmodule\n")
        run = subprocess.run([icarus, "-g2012", "-tnull", "word.v"], cwd=tmp_path, capture_output=True)
        taken |= {word} if run.returncode == 0 else set()
    assert taken == {"ordinary"}


@pytest.mark.parametrize("kind", EMITTERS)
@pytest.mark.parametrize("key", ["name", "prefix"])
def test_refused_name_creates_no_folder(kind, key, tmp_path):
    if (kind, key) == ("unit", "name"):
        pytest.skip("a unit has its own name")
    for name in ("../up", "module", "a b", "x" * 251, ""):
        with pytest.raises(IllegalValue, match=f"^{key} must be "):
            EMITTERS[kind](TINY, tmp_path / "new" / "folder", **{key: name})
    assert list(tmp_path.iterdir()) == []


INNER = "p_fmac_l4_a2_b2_m4_e2_k64"


@pytest.mark.parametrize("name", [INNER, f"{INNER}_aligner"])
def test_name_of_an_inner_module_is_refused(name, tmp_path):
    """The second is a submodule that a unit makes for itself."""
    message = f"name must be a name that no module below the top has (their names begin with p_), not '{name}'"
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        emit(TINY, tmp_path / "new" / "folder", name, prefix="p")
    assert list(tmp_path.iterdir()) == []
    text = emit(TINY, tmp_path / "new", f"{name}_", prefix="p")[0].read_text()
    assert f"module {name}(" in text


@pytest.mark.parametrize("name", ["clk", "rst", "s_axis_a_tdata", "misaligned"])
def test_name_of_a_port_is_refused(name, tmp_path):
    """Verilator does not take a variable of the name of an instance."""
    with pytest.raises(IllegalValue, match=f"^name must be a name that no port of the module has, not '{name}'$"):
        emit(TINY, tmp_path / "new", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--name", "--prefix"])
@pytest.mark.parametrize("top", ["array", "engine", "serial"])
def test_command_reports_the_name_in_one_line(option, top, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("1abc", "a b", "module", "int", "a\nb", "../up", ""):
        with pytest.raises(SystemExit) as done:
            main(["emit", "tiny", "--top", top, f"{option}={name}", "-o", "new"])
        out, err = capsys.readouterr()
        assert (done.value.code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith(f"lowtide: {option[2:]} must be a")
        assert err.endswith(f", not {name!r}\n")
    assert list(tmp_path.iterdir()) == []
