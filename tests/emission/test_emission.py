"""Emission: each module once, the same text every time, readable by plain Verilog tools."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.back import rtlil
from bisimulation import bisimilar, gates

from fixtures.slow_cases import one_in
from lowtide.config import Config, ConfigError
from lowtide.emission import emit, emit_unit
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.top import AxiStreamArray
from lowtide.emission.verilog import EmissionError, verilog_of

TINY = {"bfp": {"lanes": 4, "exponent": 2, "max_k": 64}}
BLOCKS = {"array.skew": "memory", "array.block_rows": 2, "array.block_columns": 2}


def config(rows, columns, **tables):
    return Config.from_tables(TINY | {"array": {"rows": rows, "columns": columns}} | tables)


def modules(text):
    return re.findall(r"^module (\S+?)\(", text, re.MULTILINE)


def test_each_distinct_module_is_written_once():
    text, names = verilog_and_modules(AxiStreamArray(config(7, 5)))
    assert sorted(modules(text)) == sorted(names) == sorted(set(names))


def test_the_number_of_modules_grows_with_the_logarithm():
    counts = [len(verilog_and_modules(AxiStreamArray(config(n, n)))[1]) for n in (8, 16, 32)]
    assert counts[2] - counts[1] == counts[1] - counts[0]


def test_the_number_of_modules_grows_with_the_logarithm_with_blocks_and_memory():
    sizes = [AxiStreamArray(config(n, n).changed(BLOCKS)) for n in (64, 128, 256)]
    counts = [len(verilog_and_modules(top)[1]) for top in sizes]
    assert counts[2] - counts[1] == counts[1] - counts[0]


@pytest.mark.parametrize("keys", [{}, BLOCKS])
def test_number_of_element_instances(keys):
    """Multiply out the hierarchy of the emitted text."""
    text, _ = verilog_and_modules(AxiStreamArray(config(7, 5).changed(keys)))
    bodies = dict(re.findall(r"^module (\S+?)\((.*?)^endmodule", text, re.MULTILINE | re.DOTALL))

    def elements(name):
        if re.fullmatch(r"lowtide_array_fmac_[^.]*_k64(_shared_(a|b|ab))?", name):
            return 1
        return sum(elements(child) for child in re.findall(r"^  (?:\(\* .* \*\) )?(\w+) \S+ \($", bodies[name], re.M))

    assert elements("lowtide_array") == 35


@pytest.mark.parametrize(("rows", "columns"), one_in(3, [(1, 1), (1, 3), (3, 2)]))
def test_instances_equal_plain_submodules(rows, columns, tmp_path):
    """What is emitted and what Amaranth simulates are the same circuit."""
    emitted, _ = verilog_and_modules(AxiStreamArray(config(rows, columns), "emitted"))
    plain = verilog_of(rtlil.convert(AxiStreamArray(config(rows, columns)), name="plain", emit_src=False))
    assert bisimilar(gates(emitted, "emitted", tmp_path), gates(plain, "plain", tmp_path))


@pytest.mark.slow
def test_instances_equal_plain_submodules_with_blocks_and_memory(tmp_path):
    keys = config(3, 3).changed(BLOCKS)
    emitted, _ = verilog_and_modules(AxiStreamArray(keys, "emitted"))
    plain = verilog_of(rtlil.convert(AxiStreamArray(keys), name="plain", emit_src=False))
    assert bisimilar(gates(emitted, "emitted", tmp_path), gates(plain, "plain", tmp_path))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (".b_i(b_i[14:0])", ".b_i(b_i[29:15])"),  # a column fed with its neighbor's operand
        pytest.param("= 1'h1;\n", "= 1'h0;\n", marks=pytest.mark.slow),  # another initial value
        pytest.param(" ^ ", " & ", marks=pytest.mark.slow),  # another gate
    ],
)
def test_different_circuits_are_detected(right, wrong, tmp_path):
    text, _ = verilog_and_modules(AxiStreamArray(config(2, 2), "emitted"))
    assert right in text
    changed = gates(text.replace(right, wrong, 1), "emitted", tmp_path)
    assert not bisimilar(gates(text, "emitted", tmp_path), changed)


def test_text_is_the_same_under_any_hash_seed(tmp_path):
    script = (
        "import sys; from pathlib import Path; from lowtide.config import Config; from lowtide.emission import emit;"
        "emit(Config.load('tiny'), Path(sys.argv[1]))"
    )
    texts = set()
    for seed in ("0", "1", "12345"):
        folder = tmp_path / seed
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", script, str(folder)], check=True, env=environment, cwd=tmp_path)
        texts.add(tuple(file.read_bytes() for file in sorted(folder.iterdir())))
    assert len(texts) == 1


def test_text_has_no_source_paths():
    text, _ = verilog_and_modules(AxiStreamArray(config(2, 2)))
    assert ".py" not in text
    assert str(Path(__file__).parents[2]) not in text
    assert set(re.findall(r"\(\* keep.*\*\) (\w+)", text)) == {"lowtide_array_fmac_l4_a2_b2_m4_e2_k64"}
    assert set(re.findall(r"\(\* (\w+)", text)) == {"keep_hierarchy", "X_INTERFACE_INFO", "X_INTERFACE_PARAMETER"}
    assert "\\lowtide" not in text  # no module whose name needs an escape


def test_sidecar_matches_the_text(tmp_path):
    verilog_file, sidecar_file = emit(config(2, 3), tmp_path, name="mine")
    text, sidecar = verilog_file.read_text(), json.loads(sidecar_file.read_text())
    assert sidecar["top"] == "mine"
    assert sidecar["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert sorted(sidecar["modules"]) == sorted(modules(text))
    body = text.split("module mine(")[1].split("endmodule")[0]
    declared = {
        name: (direction, int(high or 0) + 1)
        for direction, high, name in re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", body, re.MULTILINE)
    }
    assert declared == {p["name"]: (p["direction"] + "put", p["width"]) for p in sidecar["ports"]}
    assert Config.from_tables(sidecar["configuration"]) == config(2, 3)
    assert sidecar["accumulator_bits"] == 21
    assert declared["s_axis_a_tdata"] == ("input", 8 * -(-2 * sidecar["word_a"]["bits"] // 8))


def test_single_unit(tmp_path):
    verilog_file, sidecar_file = emit_unit("fmac", Config(), {"lanes": 4, "chunk_a": 1, "mantissa": 2}, tmp_path)
    assert verilog_file.stem in modules(verilog_file.read_text())
    sidecar = json.loads(sidecar_file.read_text())
    assert sidecar["parameters"]["lanes"] == 4
    assert sidecar["latency"] >= 3


@pytest.mark.parametrize(
    ("unit", "settings", "message"),
    [
        ("fmak", {}, "no unit 'fmak', did you mean fmac?; units: "),
        ("fmac", {"lanes": 5}, "lanes must be one of 4, 8, 16, 32, 64, not 5"),
        ("fmac", {"lane": 4}, "unknown key lane, did you mean lanes?"),
    ],
)
def test_invalid_unit_writes_nothing(unit, settings, message, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(message)):
        emit_unit(unit, Config(), settings, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EmissionError, match=re.escape(f"cannot write into {tmp_path}/file/verilog: Not a directory")):
        emit(config(1, 1), tmp_path / "file" / "verilog")


def test_failure_midway_writes_nothing(tmp_path, monkeypatch):
    def refuse(_, **_options):
        raise EmissionError("no")

    monkeypatch.setattr("lowtide.emission.folder.verilog_of", refuse)
    with pytest.raises(EmissionError):
        emit(config(1, 1), tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()


def test_folder_in_place_of_a_file_is_refused_first(tmp_path):
    (tmp_path / "out" / "lowtide_array.json").mkdir(parents=True)
    with pytest.raises(EmissionError, match=r"cannot write .*lowtide_array.json: Is a directory"):
        emit(config(1, 1), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["lowtide_array.json"]
