"""FPGAs of boards: what they have."""

from collections.abc import Mapping

import attrs

__all__ = ["CHIPS", "Chip"]


@attrs.frozen(kw_only=True)
class Chip:
    """An FPGA.

    Parameters
    ----------
    family : str
        A key of `lowtide.report.synthesis.FAMILIES`.
    tables, registers, memories, multipliers : int
        Look-up tables, flip-flops, block RAMs and DSP blocks that it has.
    """

    family: str
    tables: int
    registers: int
    memories: int
    multipliers: int


CHIPS: Mapping[str, Chip] = {
    "LFE5U-25F": Chip(family="ecp5", tables=24_288, registers=24_288, memories=56, multipliers=28),
    "LFE5U-85F": Chip(family="ecp5", tables=83_640, registers=83_640, memories=208, multipliers=156),
    "LFE5UM5G-85F": Chip(family="ecp5", tables=83_640, registers=83_640, memories=208, multipliers=156),
    "iCE40UP5K": Chip(family="ice40", tables=5_280, registers=5_280, memories=30, multipliers=8),
    "GW1NR-9C": Chip(family="gowin", tables=8_640, registers=6_480, memories=26, multipliers=20),
    "XC7A100T": Chip(family="xc7", tables=63_400, registers=126_800, memories=135, multipliers=240),
}
