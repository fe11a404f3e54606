"""The first unit of CONTRIBUTING works as it stands there."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lowtide.config import Config
from lowtide.emission import UNITS, UnitKind, emit_unit

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"


@pytest.fixture
def unit_and_tests(monkeypatch):
    """The two blocks of code on the page, as modules."""
    unit, tests = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    modules = []
    for name, code in (("lowtide.units.rectifier", unit), ("tests_of_rectifier", tests)):
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(code, name, "exec"), vars(module))
        modules.append(module)
    return modules


def test_its_tests_pass(unit_and_tests):
    tests = [test for name, test in vars(unit_and_tests[1]).items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()


def test_it_is_emitted_by_name(unit_and_tests, monkeypatch, tmp_path):
    unit, _ = unit_and_tests
    line = '"rectifier": UnitKind(RectifierRow, RowShape),'
    assert line in PAGE.read_text(encoding="utf-8")
    monkeypatch.setitem(UNITS, "rectifier", UnitKind(unit.RectifierRow, unit.RowShape))
    verilog, sidecar = emit_unit("rectifier", Config(), {"count": 4}, tmp_path)
    assert verilog.name == "rectifier_row_4x8.v"
    modules = json.loads(sidecar.read_text(encoding="utf-8"))["modules"]
    assert modules == ["rectifier_row_4x8_rectifier_8", "rectifier_row_4x8"]
