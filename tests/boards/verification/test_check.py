"""Check of a bitstream: its pieces, its errors, and whole boards."""

import contextlib
import hashlib
import json
import shutil
import threading
from typing import Any

import pytest

from boards.verification.planted_faults import FaultyLine, plant
from fixtures.folders import BUILD
from lowtide.cli import main
from lowtide.config import Config
from lowtide.errors import LowtideError
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.self_test import self_test
from lowtide_boards.targets.board import BOARDS, BoardError, board_of
from lowtide_boards.targets.build import build
from lowtide_boards.verification import gowin, ice40
from lowtide_boards.verification.board_ports import board_ports
from lowtide_boards.verification.check import check, check_line, wait_for_leds
from lowtide_boards.verification.netlist import board_netlist
from lowtide_sim.serial.pseudo_terminal import PseudoTerminal
from lowtide_sim.serial.simulated_line import SimulatedLine

PLANTED, FAULTS = 63, 12
"""Planted faults, one bit of a look-up table each; and faults in bits that products use."""

needs_icebox = pytest.mark.skipif(
    shutil.which("icebox_vlog") is None, reason="icebox_vlog is not installed: apt-get install fpga-icestorm"
)


class Leds(SimulatedLine):
    """A device that lights its LEDs after so many cycles."""

    def __init__(self, leds, after):
        self.config, self.cycles, self._leds, self._after = Config(), 0, leds, after

    def run(self, cycles, baud):
        self.cycles += cycles
        return b""

    @property
    def leds(self):
        return self._leds if self.cycles > self._after else (False, False)


def device(leds, after) -> Any:
    return Leds(leds, after)


def test_the_leds_decide():
    line = device((True, False), 50_000)
    wait_for_leds(line, self_test=True)
    assert 50_000 < line.cycles < 70_000
    with pytest.raises(BoardError, match="the self-test of the netlist failed: the LED wrong is lit"):
        wait_for_leds(device((False, True), 50_000), self_test=True)
    with pytest.raises(BoardError, match="the LED wrong is lit"):
        wait_for_leds(device((True, True), 0), self_test=True)
    with pytest.raises(BoardError, match=r"the netlist lit no LED in 10,000,000 cycles"):
        wait_for_leds(device((True, False), 10**9), self_test=True)


@pytest.mark.parametrize("name", BOARDS)
def test_ports_are_the_ports_of_the_constraints(name):
    ports = board_ports(board_of(name))
    assert [*ports] == ["clk", "rx", "tx", "right", "wrong"]
    assert len({port.name for port in ports.values()}) == len({port.pin for port in ports.values()}) == 5
    assert ports["rx"].name == "uart_0__rx__io"
    assert ports["right"].inverted == ports["wrong"].inverted


def test_the_pll_gets_the_clock_and_each_port_one_declaration():
    ports = board_ports(board_of("icebreaker"))
    rx, clk = ports["rx"].name, ports["clk"].name
    unpacked = (
        f"module netlist (input {rx});\nwire n1, {rx}, n2;\nSB_PLL40_PAD #(\n.PACKAGEPIN(n1),\nreg n3 = 0, n4 = 0;\n"
    )
    assert ice40._connected(unpacked, ports) == (
        f"module netlist (input {rx});\nwire n1, n2;\nPLL_AS_CLOCK #(\n.PACKAGEPIN({clk}),\nreg n3 = 0, n4 = 0;\n"
    )


@pytest.mark.parametrize(
    ("kind", "init", "pins", "constants", "kept"),
    [
        ("LUT4", "16'hff00", ("I0", "I1", "I2", "I3"), {}, {"I3"}),
        ("LUT4", "16'h8000", ("I0", "I1", "I2", "I3"), {"I2": "1'b1"}, {"I0", "I1", "I3"}),
        ("LUT4", "16'h0fff", ("I0", "I1", "I2", "I3"), {"I3": "1'b0"}, set()),
        ("CARRY_LUT4", "16'hc0c0", tuple("ABCD"), {"C": "1'b1"}, {"B"}),
        ("CARRY_LUT4", "16'h505a", tuple("ABCD"), {"C": "1'b1"}, {"A"}),
        ("CARRY_LUT4", "16'h609a", tuple("ABCD"), {"C": "1'b1"}, {"A", "B", "D"}),
    ],
)
def test_a_look_up_table_keeps_the_inputs_that_it_depends_on(kind, init, pins, constants, kept):
    cell = gowin.Cell(kind, {pin: [pin] for pin in pins}, {"INIT": init})
    ports = gowin._connected(cell, lambda wire: constants.get(wire, wire)).ports
    assert {pin for pin in pins if ports[pin] == [pin]} == kept
    assert all(ports[pin] == [constants.get(pin, "1'b0")] for pin in pins if pin not in kept)


def test_without_icebox_vlog_the_error_names_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(ice40.shutil, "which", lambda _name: None)
    with pytest.raises(BoardError, match=r"^icebox_vlog is not installed: apt-get install fpga-icestorm$"):
        ice40.netlist(b"", board_ports(board_of("icebreaker")), tmp_path)


def test_a_board_without_an_open_toolchain(tmp_path):
    with pytest.raises(BoardError, match=r"^a bitstream for Arty A7-100T cannot be checked: its toolchain is"):
        check("arty-a7", tmp_path, tmp_path)


@pytest.mark.parametrize("facts", [{}, {"configuration": 1, "self_test": True}, {"configuration": {}}])
def test_a_json_file_without_a_configuration(facts, tmp_path):
    (tmp_path / "lowtide-ulx3s.bit").write_bytes(b"bits")
    file = tmp_path / "lowtide-ulx3s.json"
    file.write_text(json.dumps(facts | {"sha256": hashlib.sha256(b"bits").hexdigest()}))
    with pytest.raises(BoardError, match=r"lowtide-ulx3s.json has no configuration; build the bitstream again$"):
        check("ulx3s", tmp_path, tmp_path)


@pytest.fixture(scope="module")
def icebreaker(tmp_path_factory):
    """Folder of the iCEBreaker's bitstream."""
    folder = tmp_path_factory.mktemp("icebreaker")
    build("icebreaker", Config.load("icebreaker"), folder)
    return folder


@pytest.fixture(scope="module")
def netlist(icebreaker):
    """Netlist of the iCEBreaker's bitstream."""
    bits = (icebreaker / "lowtide-icebreaker.bin").read_bytes()
    return board_netlist(board_of("icebreaker"), Config.load("icebreaker"), bits, self_test=False)


def checked(name, folder, capsys):
    """JSON that the command prints."""
    with pytest.raises(SystemExit) as exit_:
        main(["board", "check", "--board", name, "--folder", str(folder), "--products", "8", "--json"])
    assert exit_.value.code == 0
    return json.loads(capsys.readouterr().out)


@needs_icebox
@pytest.mark.slow
def test_the_bitstream_of_an_icebreaker_computes_products(icebreaker, capsys):
    found = checked("icebreaker", icebreaker, capsys)
    assert (found["self_test"], found["products"]) == (False, 8)
    assert found["words"] >= 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tang-nano-9k", "ulx3s"])
def test_a_bitstream_passes_its_self_test_and_computes_products(name, tmp_path, capsys):
    changes = {"array.columns": 1} | ({"serial.clock": 25_000_000} if name == "ulx3s" else {})
    build(name, Config.load("tang-nano-9k").changed(changes), tmp_path)
    found = checked(name, tmp_path, capsys)
    assert (found["self_test"], found["products"]) == (True, 8)
    assert found["words"] >= 8


@needs_icebox
@pytest.mark.slow
def test_a_pseudo_terminal_in_front_of_the_bitstream(netlist):
    line = SimulatedLine(Config.load("icebreaker"), BUILD / "engines", netlist=netlist, optimization="-O0")
    terminal, ended = PseudoTerminal(line), threading.Event()
    thread = threading.Thread(target=terminal.run, args=(ended.is_set,))
    thread.start()
    try:
        with Device.open(terminal.name, baud=4_000_000, timeout=5) as device:
            assert self_test(device, products=4) >= 4
    finally:
        ended.set()
        thread.join()
        terminal.close()


@needs_icebox
@pytest.mark.slow
def test_a_wrong_bit_in_a_table_of_the_bitstream_is_seen(netlist, tmp_path):
    """A quarter or more of the bits that look-up tables use change results, counters or the protocol if they are wrong.

    The bits differ with every netlist: 9 and 5 of the first 12 were seen in two netlists.
    """
    line = FaultyLine(Config.load("icebreaker"), tmp_path, plant(netlist, PLANTED, seed=1))
    line.select(0)
    assert check_line(line, products=3, seed=1) >= 3
    faults = line.used[:FAULTS]
    assert len(faults) == FAULTS
    seen = []
    for fault in faults:
        line.select(fault)
        with contextlib.suppress(LowtideError):
            check_line(line, products=3, seed=1)
            continue
        seen.append(fault)
    assert len(seen) >= FAULTS // 4
