"""Faults in netlists: each inverts one bit of one look-up table while its number is selected."""

import ctypes
import random
import re
from pathlib import Path

from lowtide_sim.serial import simulated_line

__all__ = ["FaultyLine", "plant"]

ICEBOX_TABLE = re.compile(r"^assign (\w+) += (/\* LUT .*?\*/) (.*\bn\d.*);$", re.MULTILINE)
MAPPED_TABLE = re.compile(r"^ *LUT4 #\(\s*\.INIT\(16'h([0-9a-f]+)\)\s+\)", re.MULTILINE)

FAULTY_TABLE = """
module FAULTY_LUT4 (input A, B, C, D, I0, I1, I2, I3, output Z, F);
    parameter INIT = 0, FAULT = 0, BIT = 0;
    wire [3:0] place = {D, C, B, A} | {I3, I2, I1, I0};
    assign Z = INIT[place] ^ (board.fault == FAULT && place == BIT);
    assign F = Z;
    always @(posedge board.clk) if (place == BIT) board.used[FAULT] <= 1;
endmodule
"""

SELECT = """
extern "C" void serial_fault(void* handle, uint32_t fault) { static_cast<Device*>(handle)->top.fault = fault; }
extern "C" uint64_t serial_used(void* handle) { return static_cast<Device*>(handle)->top.used; }
"""


def plant(verilog: str, count: int, seed: int) -> str:
    """Verilog of a board with faults 1 to ``count``, at most 63.

    The input ``fault`` of the board selects a fault, or none if 0. The output ``used`` has a bit for each fault: high
    after a clock edge at which the look-up table's inputs selected the bit.
    """
    kind, change = (ICEBOX_TABLE, _in_icebox) if ICEBOX_TABLE.search(verilog) else (MAPPED_TABLE, _in_mapped)
    rng = random.Random(seed)
    numbers = {table.start(): n for n, table in enumerate(rng.sample([*kind.finditer(verilog)], count), 1)}

    def changed(table: re.Match[str]) -> str:
        return change(table, numbers[table.start()], rng) if table.start() in numbers else table[0]

    port = "module board (input clk,"
    assert port in verilog
    ports = "module board (input [7:0] fault, output reg [63:0] used = 0, input clk,"
    return kind.sub(changed, verilog).replace(port, ports) + FAULTY_TABLE


def _in_icebox(table: re.Match[str], number: int, rng: random.Random) -> str:
    """The expression of a look-up table, wrong for one value of its inputs."""
    inputs = sorted(set(re.findall(r"\bn\d+\b", table[3])))
    value = f"{{{', '.join(inputs)}}} == {len(inputs)}'d{rng.randrange(2 ** len(inputs))}"
    used = f"always @(posedge board.clk) if ({value}) board.used[{number}] <= 1;"
    return f"assign {table[1]} = {table[2]} ({table[3]}) ^ (board.fault == {number} && {value}); {used}"


def _in_mapped(table: re.Match[str], number: int, rng: random.Random) -> str:
    """A cell of a look-up table with a wrong bit."""
    return f"  FAULTY_LUT4 #(.INIT(16'h{table[1]}), .FAULT({number}), .BIT({rng.randrange(16)}))"


class FaultyLine(simulated_line.SimulatedLine):
    """Serial line to a netlist with planted faults.

    Parameters
    ----------
    config, folder, netlist
        As for `SimulatedLine`.
    """

    def __init__(self, config, folder: Path, netlist: str):
        harness = folder / "faulty.cpp"
        harness.write_text(simulated_line.HARNESS.read_text() + SELECT)
        own, simulated_line.HARNESS = simulated_line.HARNESS, harness
        try:
            super().__init__(config, folder, netlist=netlist)
        finally:
            simulated_line.HARNESS = own

    def select(self, fault: int) -> None:
        """Power-cycle the device, with a fault, or with none if the number is 0."""
        self.reset()
        self._library.serial_fault(ctypes.c_void_p(self._handle), fault)

    @property
    def used(self) -> list[int]:
        """Numbers of the faults whose bits a look-up table has used since power-on."""
        self._library.serial_used.restype = ctypes.c_uint64
        used = self._library.serial_used(ctypes.c_void_p(self._handle))
        return [number for number in range(64) if used >> number & 1]
