"""A wrapper around a module whose speed is to be known.

A place-and-route tool gives the speed of paths from register to register. A module that leaves the registering of
its ports to its user would be credited with none of the logic behind them, and a combinational module has no speed
at all. So each input comes from a flip-flop and each output goes to one.

Where a device has fewer pins than the module has ports, the input registers form shift registers, and the output
registers are folded by registered four-input XORs, one look-up table deep, so that nothing is optimised away and
neither limits the speed. That adds one logic cell for each input bit and about one and a third for each output bit;
they appear in the utilisation and spread the placement, so that the speed of a block with many ports is somewhat low.
"""

import re
from collections.abc import Sequence

import attrs

__all__ = ["HARNESS", "Port", "harness", "ports_of"]

HARNESS = "lowtide_harness"
PINS = 8  # inputs and outputs of a narrow harness; the smallest package has 39 pins


@attrs.frozen
class Port:
    """One port of a module.

    Parameters
    ----------
    name : str
        Name in Verilog.
    direction : str
        ``input`` or ``output``.
    width : int
        Bits.
    """

    name: str
    direction: str
    width: int


def ports_of(listing: str) -> list[Port]:
    """The ports in what Yosys's ``portlist`` printed."""
    lines = re.findall(r"^(input|output) \[(-?\d+):(-?\d+)\] (\S+)$", listing, re.MULTILINE)
    return [Port(name, way, abs(int(first) - int(last)) + 1) for way, first, last, name in lines]


def harness(top: str, ports: Sequence[Port], *, clock: str = "clk", narrow: bool = False) -> str:
    """Verilog of the wrapper, a module named `HARNESS`.

    Parameters
    ----------
    top : str
        Module to wrap.
    ports : sequence of Port
        All its ports.
    clock : str
        Its clock; a module without a port of that name is taken to be combinational.
    narrow : bool
        Whether the wrapper is to have few pins.
    """
    inputs = [port for port in ports if port.direction == "input" and port.name != clock]
    outputs = [port for port in ports if port.direction == "output"]
    fed = max(sum(port.width for port in inputs), PINS)
    made = max(sum(port.width for port in outputs), 1)
    wires = [f".{clock}(clk)"] if any(port.name == clock for port in ports) else []
    wires += _slices(inputs, "fed") + _slices(outputs, "made")
    lines = [
        f"  reg [{fed - 1}:0] fed;",
        f"  wire [{made - 1}:0] made;",
        f"  reg [{made - 1}:0] kept;",
        f"  {top} dut ({', '.join(wires)});",
        "  always @(posedge clk) kept <= made;",
    ]
    if narrow:
        lines += ["  always @(posedge clk) fed <= {fed, i};", *_fold("kept", made)]
        pins_in, pins_out = PINS, PINS
    else:
        lines += ["  always @(posedge clk) fed <= i;", "  assign o = kept;"]
        pins_in, pins_out = fed, made
    head = f"module {HARNESS} (input clk, input [{pins_in - 1}:0] i, output [{pins_out - 1}:0] o);"
    return "\n".join([head, *lines, "endmodule", ""])


def _slices(ports: Sequence[Port], vector: str) -> list[str]:
    """Connections of ports to consecutive bits of a vector."""
    wires, low = [], 0
    for port in ports:
        wires.append(f".{port.name}({vector}[{low + port.width - 1}:{low}])")
        low += port.width
    return wires


def _fold(name: str, width: int) -> list[str]:
    """Fold a register to `PINS` bits, four to one in a cycle."""
    lines = []
    while width > PINS:
        quarter = -(-width // 4)
        parts = [f"{name}[{min(low + quarter, width) - 1}:{low}]" for low in range(0, width, quarter)]
        after = f"fold{quarter}"
        lines += [f"  reg [{quarter - 1}:0] {after};", f"  always @(posedge clk) {after} <= {' ^ '.join(parts)};"]
        name, width = after, quarter
    return [*lines, f"  assign o = {name};"]
