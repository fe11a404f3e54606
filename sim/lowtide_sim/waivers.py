"""Waivers of Verilator's warnings: the only ones that emitted Verilog needs, each with its reason."""

__all__ = ["WAIVERS", "control_file"]

WAIVERS = (
    # One file holds a design, and is named after its top.
    "lint_off -rule DECLFILENAME",
    # Registers have an initial value beside their reset: an FPGA starts with it.
    "lint_off -rule PROCASSINIT",
    # A unit has the ports of its kind: a clock, a reset, and words of which some configurations do not use all bits.
    "lint_off -rule UNUSEDSIGNAL",
    # Yosys leaves it to Verilog to extend the operands of an operator. Widths of ports are not waived.
    'lint_off -rule WIDTHEXPAND -file "*" -match "Operator *"',
    # Yosys writes `!x` for "x is zero", whatever the width of x,
    'lint_off -rule WIDTHTRUNC -file "*" -match "Logical operator LOGNOT expects 1 bit*"',
    # and `x >> n` as wide as x where the left side is narrower, so that the bits above are meant to go.
    'lint_off -rule WIDTHTRUNC -file "*" -match "Operator ASSIGNW * Assign RHS\'s SHIFTR generates*"',
)
"""Lines of a configuration file of Verilator. Any other warning, under ``-Wall``, is a fault of the Verilog."""


def control_file(*lines: str) -> str:
    """Text of a configuration file of Verilator that has further lines besides the waivers."""
    return "\n".join(("`verilator_config", *lines, *WAIVERS)) + "\n"
