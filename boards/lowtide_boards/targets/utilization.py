"""Utilization of an FPGA after synthesis."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs

from lowtide.synthesis import Area
from lowtide_boards.targets.board import Board, BoardError

__all__ = ["Utilization", "check_utilization", "logic_cells", "utilization"]


@attrs.frozen
class Utilization:
    """Used and available cells of one kind.

    Parameters
    ----------
    kind : str
        Kind of cell.
    used, available : int
        Number of cells.
    """

    kind: str
    used: int
    available: int

    @property
    def share(self) -> float:
        """Used fraction of the available cells; infinite if no cell is available."""
        if self.available:
            return self.used / self.available
        return math.inf if self.used else 0.0


def utilization(area: Area, board: Board, cells: int | None = None) -> list[Utilization]:
    """Utilization of a board's FPGA per kind of cell; ``cells`` replaces the number of look-up tables."""
    chip = board.chip
    return [
        Utilization("cells", cells or area.with_memory, chip.tables),
        Utilization("flip-flops", area.ffs, chip.registers),
        Utilization("block RAMs", area.brams, chip.memories),
        Utilization("DSP blocks", area.dsps, chip.multipliers),
    ]


def check_utilization(taken: list[Utilization], board: Board) -> None:
    """Refuse a design that does not fit, before place and route.

    Raises
    ------
    BoardError
        If the design exceeds the FPGA; the message has the excess per kind of cell.
    """
    over = [
        f"{use.used:,} {use.kind} of {use.available:,}, {use.used - use.available:,} too many"
        for use in taken
        if use.used > use.available
    ]
    if over:
        raise BoardError(
            f"the configuration is too large for the {board.chip_name} of {board.title}: it needs"
            f" {'; '.join(over)}; the preset {board.preset} fits"
        )


def logic_cells(module: Mapping[str, Any]) -> int:
    """Least number of logic cells of an iCE40 for a netlist from Yosys; carry chains may need more.

    A logic cell has a look-up table, a flip-flop, or both if the table drives only the flip-flop.

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
