"""Imports follow the order of the folders in the picture of the architecture."""

import ast
import re
from pathlib import Path

TOP = Path(__file__).parents[2]
PICTURE = TOP / "docs" / "concepts" / "architecture.svg"
PACKAGE = TOP / "hdl" / "lowtide"


def imported(file: Path) -> set[str]:
    """Folders and modules of lowtide that a file imports."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {module.split(".")[1] for module in modules if module.startswith("lowtide.")}


def test_each_folder_imports_folders_below_it():
    order = re.findall(r'<text x="120" y="\d+">([\w.]+)</text>', PICTURE.read_text(encoding="utf-8"))
    assert {folder.parent.name for folder in PACKAGE.glob("*/__init__.py")} == {*order} - {"config.py"}
    floors = [name.removesuffix(".py") for name in order]
    for height, name in enumerate(floors):
        files = [PACKAGE / f"{name}.py"] if name == "config" else list((PACKAGE / name).rglob("*.py"))
        for file in files:
            assert not imported(file) & {*floors[:height]}, file
