"""The documentation's example gives the output that the page shows."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from lowtide_model import matmul

PAGE = Path(__file__).parents[3] / "docs" / "studies" / "workload.md"


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus is not installed")
def test_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code
    names = {}
    exec(code[1], names)
    np.testing.assert_array_equal(names["product"].acc, matmul(names["a"], names["b"]))
