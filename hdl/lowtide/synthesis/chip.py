"""Area of a Verilog module on a chip: transistors by Yosys' estimate, or cells of a Liberty library."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from lowtide.cache import Cache
from lowtide.errors import SynthesisError
from lowtide.synthesis.liberty import LIBERTY, Library
from lowtide.synthesis.yosys import DESIGN, cells_of, run_yosys

__all__ = ["CHIPS", "ChipArea", "chip_area"]

CHIPS = ("cmos", "liberty")
"""Targets that are chips."""


@attrs.frozen(kw_only=True)
class ChipArea:
    """Area of a synthesized module on a chip.

    Parameters
    ----------
    target : str
        ``cmos`` or ``liberty``.
    transistors : int or None
        cmos: Yosys' estimate of transistors. A flip-flop counts as 16 transistors.
    cell_area : float or None
        liberty: area of all cells, in units of the library.
    gates : float or None
        liberty: gate equivalents, the area over the area of the smallest two-input NAND.
    ffs : int
        Number of flip-flops and latches.
    memory_bits : int
        Bits of memories, which the other figures exclude. A memory without a write port is logic.
    cells : dict of str to int
        Number of cells by cell name.
    script : str
        Yosys script of these figures; the Verilog is ``design.v``, and the Liberty file is ``library.lib``.
    """

    target: str
    transistors: int | None
    cell_area: float | None
    gates: float | None
    ffs: int
    memory_bits: int
    cells: dict[str, int]
    script: str

    @property
    def size(self) -> float:
        """Transistors, or gate equivalents."""
        return float(self.transistors or 0) if self.gates is None else self.gates


def chip_area(verilog: str, top: str, library: Library | None = None, *, cache: Cache | None = None) -> ChipArea:
    """Synthesize a module for a chip and return its area.

    A chip has no initial values, so the script removes the values of registers. Memories are excluded and counted in
    bits, because a chip has separate memory blocks.

    Parameters
    ----------
    verilog : str
        Text of the module and of all modules below it.
    top : str
        Name of the module.
    library : Library, optional
        Library of cells; by default, the area is Yosys' estimate of transistors.
    cache : Cache, optional
        Cache of the results.

    Raises
    ------
    SynthesisError
        If Yosys is not installed or fails, or a cell of the result has no area.
    """
    if library:
        mapping = [f"dfflibmap -liberty {LIBERTY}", "opt_expr", "opt_merge", f"abc -liberty {LIBERTY}"]
        stat = f"stat -json -liberty {LIBERTY}"
    else:
        # The estimate knows only flip-flops without enable and reset; resets and enables become gates.
        mapping = ["dfflegalize -cell $_DFF_P_ x", "opt_expr", "opt_merge", "abc -g cmos"]
        stat = "stat -json -tech cmos"
    script = "; ".join(
        [
            f"read_verilog {DESIGN}",
            f"hierarchy -top {top}",
            "proc",
            "setattr -unset init w:*",
            "flatten -noscopeinfo",
            f"synth -top {top} -run begin:fine",
            "memory_map -rom-only",
            "opt -fast -full",
            "opt -undriven -fine",
            "techmap",
            "opt -fast",
            *mapping,
            "opt_clean",
            # The memories remain and are counted; their ports are not cells of the logic.
            "memory_unpack",
            "delete t:$mem*",
            f"tee -o cells.json {stat}",
        ]
    )

    def count() -> ChipArea:
        with TemporaryDirectory(prefix="lowtide-") as folder:
            here = Path(folder)
            if library:
                (here / LIBERTY).write_text(library.text, encoding="utf-8")
            run_yosys(verilog, script, here)
            statistics = json.loads((here / "cells.json").read_text(encoding="utf-8"))
        return _area_of(statistics, library, script)

    inputs = (verilog, script, library.text if library else "")
    return (cache or Cache()).recall(ChipArea, inputs, count)


def _area_of(statistics: dict, library: Library | None, script: str) -> ChipArea:
    """Return the area of the output of ``stat -json``.

    Raises
    ------
    SynthesisError
        If a cell has no area.
    """
    design = statistics["design"]
    modules = {name.removeprefix("\\") for name in statistics["modules"]}
    cells = {cell: number for cell, number in cells_of(statistics).items() if cell not in modules}
    transistors, area = None, None
    if library:
        without = [cell for cell in cells if not library.areas.get(cell)]
        area = float(design.get("area", 0))  # a design without cells has no such figure
        ffs = sum(number for cell, number in cells.items() if cell in library.registers)
    else:
        estimate = design["estimated_num_transistors"]
        known = estimate.isdecimal()
        without = [] if known else [cell for cell in cells if not cell.startswith("$_")] or list(cells)
        transistors = int(estimate) if known else None
        ffs = cells.get("$_DFF_P_", 0)
    if without:
        raise SynthesisError(f"no area is known for cells {', '.join(without)}")
    return ChipArea(
        target="liberty" if library else "cmos",
        transistors=transistors,
        cell_area=area,
        gates=area / library.nand if library and area is not None else None,
        ffs=ffs,
        memory_bits=design["num_memory_bits"],
        cells=cells,
        script=script,
    )
