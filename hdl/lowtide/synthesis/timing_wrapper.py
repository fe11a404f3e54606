"""Timing wrapper: registers around a module to measure its speed.

A place-and-route tool reports the speed of register-to-register paths. A module that leaves the registers of its
ports to its user would hide the logic behind them, and a combinational module has no speed at all. So each input
comes from a flip-flop and each output goes to a flip-flop. The wrapper consists of cells of the family and surrounds
the finished netlist of the module, so the reported area is the area of that netlist. The logic that Yosys finds for a
flattened copy inside another module differs (a multiply-accumulate was a fifth slower).

If a device has fewer pins than the module has ports, the input registers form shift registers, and registered
four-input XORs, one look-up table deep, fold the output registers. So nothing is optimized away, and neither limits
the speed. This adds one logic cell per input bit and about one and a third per output bit. They appear in the
utilization and spread the placement, so the reported speed of a block with many ports is somewhat low.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

__all__ = ["FLIP_FLOPS", "HARNESS", "Port", "harness", "harness_flip_flops", "ports_of"]

HARNESS = "lowtide_harness"
PINS = 8  # inputs and outputs of a narrow harness; the smallest package has 39 pins

# Cell, its clock pin and its data pin.
FLIP_FLOPS = {
    "ecp5": ('TRELLIS_FF #(.GSR("AUTO"), .CEMUX("1"), .CLKMUX("CLK"), .LSRMUX("LSR"), .REGSET("RESET"))', "CLK", "DI"),
    "ice40": ("SB_DFF", "C", "D"),
}


@attrs.frozen
class Port:
    """Port of a module.

    Parameters
    ----------
    name : str
        Name in Verilog.
    direction : str
        ``input`` or ``output``.
    width : int
        Width in bits.
    """

    name: str
    direction: str
    width: int


def ports_of(listing: str) -> list[Port]:
    """Return the ports in the output of Yosys's ``portlist``."""
    lines = re.findall(r"^(input|output) \[(-?\d+):(-?\d+)\] (\S+)$", listing, re.MULTILINE)
    return [Port(name, way, abs(int(first) - int(last)) + 1) for way, first, last, name in lines]


def harness(top: str, ports: Sequence[Port], flip_flop: str, *, clock: str = "clk", narrow: bool = False) -> str:
    """Return the Verilog of the wrapper, a module named `HARNESS`.

    Parameters
    ----------
    top : str
        Module to wrap.
    ports : sequence of Port
        All ports of the module.
    flip_flop : str
        A key of `FLIP_FLOPS`.
    clock : str
        Clock of the module; a module without a port of that name is combinational.
    narrow : bool
        Whether the wrapper must have few pins; only for families with an SB_LUT4.
    """
    inputs = [port for port in ports if port.direction == "input" and port.name != clock]
    outputs = [port for port in ports if port.direction == "output"]
    fed = max(sum(port.width for port in inputs), PINS)
    made = max(sum(port.width for port in outputs), PINS)
    pins_in, pins_out = (PINS, PINS) if narrow else (fed, made)
    source = f"{{fed[{fed - PINS - 1}:0], i}}" if narrow and fed > PINS else "i"
    wires = [f".{clock}(clk)"] if any(port.name == clock for port in ports) else []
    wires += _slices(inputs, "fed") + _slices(outputs, "made")
    lines = [
        f"module {HARNESS} (input clk, input [{pins_in - 1}:0] i, output [{pins_out - 1}:0] o);",
        f"  wire [{made - 1}:0] made;",
        f"  {top} dut ({', '.join(wires)});",
        *_register(flip_flop, "fed", source, fed),
        *_register(flip_flop, "kept", "made", made),
        *(_fold(flip_flop, "kept", made) if narrow else ["  assign o = kept;"]),
        "endmodule",
    ]
    return "\n".join(lines) + "\n"


def harness_flip_flops(netlist: Mapping[str, Any]) -> int:
    """Return the number of flip-flops of the wrapper in its flattened netlist, in Yosys's JSON.

    Yosys removes the flip-flops of inputs that the module does not read.
    """
    return sum(name.startswith(("fed_ff[", "kept_ff[")) for name in netlist["modules"][HARNESS]["cells"])


def _slices(ports: Sequence[Port], vector: str) -> list[str]:
    """Connect ports to consecutive bits of a vector."""
    wires, low = [], 0
    for port in ports:
        wires.append(f".{port.name}({vector}[{low + port.width - 1}:{low}])")
        low += port.width
    return wires


def _register(flip_flop: str, name: str, source: str, width: int) -> list[str]:
    """A register of `width` flip-flops."""
    cell, clock, d = FLIP_FLOPS[flip_flop]
    return [
        f"  wire [{width - 1}:0] {name};",
        f"  {cell} {name}_ff [{width - 1}:0] (.{clock}(clk), .{d}({source}), .Q({name}));",
    ]


def _fold(flip_flop: str, name: str, width: int) -> list[str]:
    """Fold a register to `PINS` bits, at most four bits to one per cycle."""
    lines = []
    while width > PINS:
        after = max(-(-width // 4), PINS)
        folded, mixed = f"fold{after}", f"mix{after}"
        parts = [f"{name}[{min(low + after, width) - 1}:{low}]" for low in range(0, width, after)]
        parts[-1] = f"{{{-width % after}'b0, {parts[-1]}}}" if width % after else parts[-1]
        parts += [f"{after}'b0"] * (4 - len(parts))
        inputs = ", ".join(f".I{index}({part})" for index, part in enumerate(parts))
        lines += [
            f"  wire [{after - 1}:0] {mixed};",
            f"  SB_LUT4 #(.LUT_INIT(16'h6996)) {mixed}_lut [{after - 1}:0] ({inputs}, .O({mixed}));",
            *_register(flip_flop, folded, mixed, after),
        ]
        name, width = folded, after
    return [*lines, f"  assign o = {name};"]
