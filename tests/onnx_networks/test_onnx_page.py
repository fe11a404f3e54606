"""Every block of the tutorial runs, and prints what the reader sees."""

from pathlib import Path

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")
from docs.pages import run_page

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "onnx.md"


def test_every_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_page(PAGE, tmp_path) == 8
