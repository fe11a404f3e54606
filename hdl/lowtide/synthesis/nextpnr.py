"""nextpnr: places and routes a netlist with one seed."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

import attrs

from lowtide.errors import SynthesisError
from lowtide.synthesis.timing_wrapper import harness_flip_flops
from lowtide.synthesis.tool import ToolFailure, run_tool

__all__ = ["NETLIST", "Netlist", "Run", "placed", "run_seed"]

NETLIST = "netlist.json"


@attrs.frozen(kw_only=True)
class Run:
    """Result of one seed.

    Parameters
    ----------
    fmax : float or None
        Maximum clock frequency in MHz; None without a register-to-register path.
    critical : str
        Critical path: its nets, its delay, and the share of routing.
    used, available : dict of str to int
        Cells of each kind that the design uses, and that the device has.
    harness : int
        Flip-flops of the timing wrapper in ``used``; 0 for a design without a wrapper.
    """

    fmax: float | None
    critical: str
    used: dict[str, int]
    available: dict[str, int]
    harness: int = 0


class Netlist:
    """Netlist in a folder, made on first use; not at all if all runs are cached.

    Parameters
    ----------
    folder : Path
        Folder of the netlist.
    make : callable
        Makes the file `NETLIST` in the folder.
    """

    def __init__(self, folder: Path, make: Callable[[Path], None]):
        self._folder, self._make = folder, make
        self._making = Lock()

    def folder(self) -> Path:
        """Return the folder with the netlist."""
        with self._making:
            if not (self._folder / NETLIST).exists():
                self._make(self._folder)
        return self._folder


def run_seed(package: str, command: str, seed: int, netlist: Netlist) -> Run:
    """Place and route a module in its timing wrapper with one seed.

    Raises
    ------
    SynthesisError
        If the tool fails, or the design does not fit.
    """
    folder = netlist.folder()
    run = placed(package, command, seed, folder)
    return attrs.evolve(run, harness=harness_flip_flops(json.loads((folder / NETLIST).read_text(encoding="utf-8"))))


def placed(package: str, command: str, seed: int, folder: Path) -> Run:
    """Place and route the input of a nextpnr command, in a folder.

    Raises
    ------
    SynthesisError
        If the tool fails, or the design does not fit.
    """
    file = f"seed{seed}.json"
    try:
        run_tool(package, [*command.split(), "--seed", str(seed), "--report", file], folder)
    except ToolFailure as failure:
        raise SynthesisError(_too_big(failure.log) or str(failure)) from None
    report = json.loads((folder / file).read_text(encoding="utf-8"))
    cells = {cell: use for cell, use in report["utilization"].items() if use["used"]}
    return Run(
        fmax=round(min((clock["achieved"] for clock in report["fmax"].values()), default=0), 2) or None,
        critical=_critical(report),
        used={cell: use["used"] for cell, use in cells.items()},
        available={cell: use["available"] for cell, use in cells.items()},
    )


def _too_big(log: str) -> str:
    """Return by how much a design exceeds its device, or an empty string for other failures."""
    rows = re.findall(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", log, re.MULTILINE)
    over = [f"{used} of {there} {cell}" for cell, used, there in rows if int(used) > int(there)]
    return f"the design does not fit the device: it needs {', '.join(over)}" if over else ""


def _critical(report: Mapping) -> str:
    """Describe the longest register-to-register path."""
    paths = [path["path"] for path in report["critical_paths"] if path["from"] == path["to"]]
    steps = max(paths, key=lambda path: sum(step["delay"] for step in path), default=[])
    if not steps:
        return "none"
    delay = sum(step["delay"] for step in steps)
    routing = sum(step["delay"] for step in steps if step["type"] == "routing")
    nets = [step["net"] for step in steps if step["type"] == "routing"]
    return f"{delay:.2f} ns, {routing:.2f} of them routing: {' > '.join(nets)}"
