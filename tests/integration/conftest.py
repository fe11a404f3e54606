"""Verilator as a user would have it on the PATH."""

import os
import sys

import pytest

from lowtide_sim.build_folder import build_folder


@pytest.fixture
def verilator(monkeypatch):
    """The program, which is on the PATH for others too: not the package's script, which fails in some folders."""
    with build_folder() as folder:
        programs = folder.path / "programs"
        programs.mkdir()
        (programs / "verilator").symlink_to(folder.verilator / "bin" / "verilator_bin")
        (programs / "python").symlink_to(sys.executable)  # its makefile runs it, and a system may lack it
        monkeypatch.setenv("VERILATOR_ROOT", str(folder.verilator))
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        yield programs / "verilator"
