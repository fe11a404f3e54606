"""Logic cells of an iCE40: a look-up table, a flip-flop, or both if the table drives only the flip-flop."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["logic_cells"]


def logic_cells(module: Mapping[str, Any]) -> int:
    """Least number of logic cells of a netlist from Yosys; carry chains may need more.

    Parameters
    ----------
    module : mapping
        Flattened module in Yosys's JSON.
    """
    cells = module["cells"].values()
    readers: Counter[Any] = Counter()
    for cell in cells:
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) == "input":
                readers.update(bits)
    for port in module["ports"].values():
        if port["direction"] == "output":
            readers.update(port["bits"])
    tables = {cell["connections"]["O"][0] for cell in cells if cell["type"] == "SB_LUT4"}
    data = [cell["connections"]["D"][0] for cell in cells if cell["type"].startswith("SB_DFF")]
    alone = [bit for bit in data if bit not in tables or readers[bit] > 1]
    return len(tables) + len(alone)
