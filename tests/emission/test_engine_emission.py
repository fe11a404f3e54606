"""Engines are emitted with their registers on each of the buses."""

import json
import re

import pytest

from fixtures.slow_cases import one_in
from lowtide.config import Config
from lowtide.emission import emit_engine, emit_serial
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.serial import digest_of
from lowtide.emission.top import ENGINE_BUSES, AxiStreamEngine
from lowtide.engine.buffer import OperandBuffer

SMALL = {"array.rows": 1, "array.columns": 2, "bfp.lanes": 4, "bfp.max_k": 64}
SMALL |= {"engine.output_width": 1, "engine.buffer_depth": 64, "engine.transpose_depth": 64}
FIRST_PORT = {"axi4-lite": "s_axi_awaddr", "wishbone": "wb_cyc_i", "plain": "address"}


@pytest.mark.parametrize("bus", one_in(3, ENGINE_BUSES))
def test_sidecar_names_the_bus(bus, tmp_path):
    verilog, sidecar_file = emit_engine(Config().changed(SMALL), tmp_path, bus=bus)
    sidecar = json.loads(sidecar_file.read_text())
    declared = re.search(r"^module lowtide_engine\((.*)\);", verilog.read_text(), re.MULTILINE)
    assert declared is not None
    assert sidecar["bus"] == bus
    assert [port["name"] for port in sidecar["ports"]] == declared[1].split(", ")
    assert FIRST_PORT[bus] in declared[1]
    assert ("s_axis_a:s_axis_b:m_axis_c:s_axi," in verilog.read_text()) == (bus == "axi4-lite")


def test_default_bus_is_axi_lite(tmp_path):
    assert json.loads(emit_engine(Config().changed(SMALL), tmp_path)[1].read_text())["bus"] == "axi4-lite"
    assert AxiStreamEngine(Config()).bus == "plain"


@pytest.mark.slow
def test_the_multiplier_changes_no_register(tmp_path):
    maps = [
        json.loads(emit_engine(Config().changed(SMALL | {"bfp.multiplier": multiplier}), tmp_path)[1].read_text())[
            "registers"
        ]
        for multiplier in ("logic", "inferred", "ecp5")
    ]
    assert maps[0] == maps[1] == maps[2]


def test_serial_engine(tmp_path):
    config = Config().changed(SMALL)
    verilog, sidecar_file = emit_serial(config, tmp_path)
    sidecar = json.loads(sidecar_file.read_text())
    assert "module lowtide_serial(clk, rst, rx, tx);" in verilog.read_text()
    assert int(sidecar["digest"], 16) == digest_of(config)
    assert sidecar["registers"][0]["name"] == "identity"


WIDEST = Config().changed(
    {
        **{"bfp.lanes": 64, "bfp.chunk_a": 4, "bfp.chunk_b": 4, "bfp.mantissa": 12, "bfp.exponent": 5},
        **{"array.rows": 201, "array.columns": 1},
        **{"engine.output_width": 1, "engine.buffer_depth": 16, "engine.transpose_depth": 16},
    }
)
"""Most rows with the widest chunks: `tests/test_keys_together.py` checks that one row more is refused."""


@pytest.mark.slow
def test_the_widest_buffer_is_emitted():
    width = WIDEST.bfp.layout_a.size
    text, _ = verilog_and_modules(OperandBuffer(WIDEST.array.rows, width, WIDEST.engine.buffer_depth))
    assert f"output [{WIDEST.array.rows * width - 1}:0] o;" in text


@pytest.mark.slow
def test_the_engine_with_the_widest_buffer_is_emitted(tmp_path):
    emit_engine(WIDEST, tmp_path)
