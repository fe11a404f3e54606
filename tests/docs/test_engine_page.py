"""The engine's page has the registers that the hardware has."""

from pathlib import Path

from lowtide.config import Config
from lowtide.emission.top import AxiStreamEngine
from lowtide.engine.registers import BYTES

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "engine.md"


def test_registers():
    rows = [
        f"| `{BYTES * place:#05x}` | `{register.name}` | {register.access} | {register.bits} | {register.meaning} |"
        for place, register in enumerate(AxiStreamEngine(Config()).registers)
    ]
    section = PAGE.read_text(encoding="utf-8").split("## Registers")[1].split("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `0x")] == rows
