"""Whether a design fits its chip, as far as synthesis can say."""

import math

import attrs

from lowtide.synthesis import Area
from lowtide_boards.targets.board import Board
from lowtide_boards.targets.errors import BoardError

__all__ = ["Utilization", "check_utilization", "utilization"]


@attrs.frozen
class Utilization:
    """What a design takes of one kind of cell.

    Parameters
    ----------
    kind : str
    used, available : int
    """

    kind: str
    used: int
    available: int

    @property
    def share(self) -> float:
        """Share of the available cells that is used; infinite where there are none."""
        if self.available:
            return self.used / self.available
        return math.inf if self.used else 0.0


def utilization(area: Area, board: Board, cells: int | None = None) -> list[Utilization]:
    """What a design takes of a board's chip, kind by kind; its cells, where more than tables are known of them."""
    chip = board.chip
    return [
        Utilization("cells", cells or area.with_memory, chip.tables),
        Utilization("flip-flops", area.ffs, chip.registers),
        Utilization("block RAMs", area.brams, chip.memories),
        Utilization("DSP blocks", area.dsps, chip.multipliers),
    ]


def check_utilization(taken: list[Utilization], board: Board) -> None:
    """Refuse a design that cannot fit, before an hour has gone into placing it.

    Raises
    ------
    BoardError
        If it needs more of anything than there is; the message says how much more.
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
