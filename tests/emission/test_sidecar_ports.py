"""Ports in a sidecar: those that the Verilog declares, in its order, with its widths."""

import json
import re

import pytest

from fixtures.slow_cases import one_in
from lowtide.config import Config
from lowtide.emission import UNITS, emit, emit_engine, emit_serial, emit_unit
from lowtide.emission.top import ENGINE_BUSES

TINY = Config.load("tiny").changed({"array.rows": 1, "array.columns": 2, "engine.output_width": 1})
ENGINE = TINY.changed({"bfp.mantissa": 2, "engine.buffer_depth": 16, "engine.transpose_depth": 16, "serial.queue": 256})
ARRAYS = {
    "accumulators": {},
    "integers in": {"array.element": "tmac", "array.operands": "integers", "terms.group": 4, "terms.budget": 4},
    "integers out": {"array.element": "pmac", "array.results": "integers"},
}


def declared(text, top):
    """Ports of a module in the order of its header: name, direction, width."""
    module = re.search(rf"^module {re.escape(top)}\((.*?)\);(.*?)^endmodule", text, re.M | re.S)
    assert module is not None
    header, body = module.groups()
    found = re.findall(r"^ +(input|output) +(?:\[(\d+):0\] +)?(\w+) *;", body, re.M)
    ports = {name: {"name": name, "direction": way[:-3], "width": int(high or 0) + 1} for way, high, name in found}
    names = re.split(r"\s*,\s*", header.strip())
    assert sorted(names) == sorted(ports)
    return [ports[name] for name in names]


def check(files):
    verilog, sidecar_file = files
    sidecar = json.loads(sidecar_file.read_text())
    assert sidecar["ports"] == declared(verilog.read_text(), sidecar["top"])


@pytest.mark.parametrize("changes", ARRAYS.values(), ids=list(ARRAYS))
def test_of_an_array(changes, tmp_path):
    check(emit(TINY.changed(changes), tmp_path))


QUICK = "axi4-lite"


@pytest.mark.parametrize(
    "bus", [pytest.param(bus, marks=() if bus == QUICK else pytest.mark.slow) for bus in ENGINE_BUSES]
)
def test_of_an_engine(bus, tmp_path):
    check(emit_engine(ENGINE, tmp_path, bus=bus))


def test_of_a_serial_engine(tmp_path):
    check(emit_serial(ENGINE, tmp_path))


@pytest.mark.parametrize("unit", one_in(3, UNITS))
def test_of_a_unit(unit, tmp_path):
    check(emit_unit(unit, Config(), {}, tmp_path))
