"""Waivers of Verilator's warnings: all that emitted Verilog needs, each with its reason."""

__all__ = ["WAIVERS", "control_file"]

WAIVERS = (
    # One file contains all modules of a design, and has the name of the top.
    "lint_off -rule DECLFILENAME",
    # Registers have an initial value as well as a reset: an FPGA starts with the initial value.
    "lint_off -rule PROCASSINIT",
    # All configurations of a unit have the same ports, although some do not use the clock, the reset or all bits.
    "lint_off -rule UNUSEDSIGNAL",
    # Yosys relies on Verilog to extend the operands of an operator. Widths of ports are not waived.
    'lint_off -rule WIDTHEXPAND -file "*" -match "Operator *"',
    # Yosys writes `!x` for "x is zero", for any width of x,
    'lint_off -rule WIDTHTRUNC -file "*" -match "Logical operator LOGNOT expects 1 bit*"',
    # and assigns the full width of `x >> n` to a narrower left side, to discard the upper bits.
    'lint_off -rule WIDTHTRUNC -file "*" -match "Operator ASSIGNW * Assign RHS\'s SHIFTR generates*"',
)
"""Lines of a Verilator configuration file. Any other warning under ``-Wall`` is a fault of the Verilog."""


def control_file(*lines: str) -> str:
    """Text of a Verilator configuration file with the waivers and further lines."""
    return "\n".join(("`verilator_config", *lines, *WAIVERS)) + "\n"
