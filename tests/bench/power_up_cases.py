"""A Verilog wrapper with several instances of a design, each of which powers up independently."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["IDLES", "TOP", "write_cases"]

IDLES = (0, 1, 2, 5, 40)
"""Idle cycles between the reset and the first beat; one instance per number."""

TOP = "power_up"


def write_cases(verilog: Path, sidecar: dict[str, Any], instances: Iterable[str]) -> Path:
    """Append the wrapper to Verilog without initial values, in a file next to it.

    Each instance is a module with the design's ports as registers and nets, for a bench to drive, and ``unknown``,
    where bit ``n`` is high from the first rising edge at which output ``n`` is X or Z, once a reset was sampled.
    """
    ports = [port for port in sidecar["ports"] if port["width"]]
    outputs = [port for port in ports if port["direction"] == "out"]
    connections = ", ".join(f".{port['name']}({port['name']})" for port in ports)
    lines = ["`timescale 1ns/1ps", "module power_up_case;"]
    for port in ports:
        declared = f"{_range(port['width'])}{port['name']}"
        lines.append(f"  wire {declared};" if port in outputs else f"  reg {declared} = 0;")
    lines += [
        f"  {sidecar['top']} dut ({connections});",
        "  reg was_reset = 0;",
        f"  reg [{len(outputs)}:0] unknown = 0;",  # one extra bit: cocotb converts no single bit to a number
        "  always @(posedge clk) begin",
        "    if (rst) was_reset <= 1;",
        *(f"    if (was_reset && ^{port['name']} === 1'bx) unknown[{n}] <= 1;" for n, port in enumerate(outputs)),
        "  end",
        "endmodule",
        f"module {TOP};",
        *(f"  power_up_case {instance} ();" for instance in instances),
        "endmodule",
    ]
    wrapped = verilog.with_name(f"{TOP}.v")
    wrapped.write_text(verilog.read_text(encoding="utf-8") + "\n".join(lines) + "\n", encoding="utf-8")
    return wrapped


def _range(width: int) -> str:
    """Bit range of a port; a one-bit port has none, because cocotb awaits edges of scalars only."""
    return f"[{width - 1}:0] " if width > 1 else ""
