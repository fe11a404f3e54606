"""Names on the pages exist: modules, classes, files and tests, and the blocks of the drawn diagrams."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PICTURES = sorted(DOCS.rglob("*.svg"))
SOURCES = [path for folder in ("hdl", "sim", "boards", "tests") for path in (ROOT / folder).rglob("*.py")]
FILES_OF_OUTPUT = {"lowtide_array.fst", "lowtide_array.json", "lowtide_array.v"}
"""Names of files that a command writes."""
ENTRY_POINTS = {"lowtide.commands"}
"""Groups of entry points, which are no modules."""


def code_of(page):
    """What is in backticks in a page's prose and tables."""
    prose = re.sub(r"^( *)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def exists(name):
    """A module, or an attribute of a module or of its classes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError as error:
            if not name.startswith(str(error.name)):
                raise
            continue
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


def name_of_page(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of_page)
def test_dotted_names_import(page):
    names = {
        match[1]
        for code in code_of(page)
        if (match := re.fullmatch(r"~?(lowtide\w*(?:\.\w+)+)(?:\(.*\))?", code)) is not None
    }
    assert [name for name in sorted(names - FILES_OF_OUTPUT - ENTRY_POINTS) if not exists(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of_page)
def test_files_exist(page):
    """Paths from the root, and names of Python files wherever they are."""
    paths = {code for code in code_of(page) if re.match(r"(tests|hdl|sim|boards|docs|configs)/[\w./-]+$", code)}
    files = {code for code in code_of(page) if re.fullmatch(r"[\w/]+\.py", code)} - paths
    missing = [path for path in sorted(paths) if not (ROOT / path).exists()]
    missing += [file for file in sorted(files) if not any(str(path).endswith("/" + file) for path in SOURCES)]
    assert missing == []


@pytest.mark.parametrize("picture", PICTURES, ids=name_of_page)
def test_blocks_of_diagrams_are_classes(picture):
    blocks = re.findall(r'class="unit"[^>]*>([^<]+)<', picture.read_text(encoding="utf-8"))
    classes = {name for path in SOURCES for name in re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE)}
    assert sorted(set(blocks) - classes) == []


def test_blocks_of_the_engine_are_on_its_page():
    blocks = re.findall(r'class="unit"[^>]*>([^<]+)<', (DOCS / "concepts" / "engine.svg").read_text(encoding="utf-8"))
    code = {name for each in code_of(DOCS / "concepts" / "engine.md") for name in [each]}
    assert len(set(blocks)) >= 15
    assert sorted(set(blocks) - code - {"BfpConverter", "Chunker", "SystolicArray"}) == []


@pytest.mark.parametrize("page", sorted((DOCS / "units").glob("*.md")), ids=name_of_page)
def test_units_have_a_diagram_and_their_ports(page):
    text = page.read_text(encoding="utf-8")
    assert re.search(r"!\[[^\]]+\]\(\w+\.svg\)", text)
    assert ".. autoclass:: lowtide." in text
    assert "## Tests\n" in text


@pytest.mark.parametrize("page", sorted((DOCS / "studies").glob("*.md")), ids=name_of_page)
def test_studies_have_one_form(page):
    text = page.read_text(encoding="utf-8")
    parts = ["# Study: ", "**Question.**", "**Answer.**", "![", "\n## Method\n", "\n## Limits\n", "\n## Commands\n"]
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
