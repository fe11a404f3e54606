"""The examples on the pages print the output shown."""

import doctest
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["reference/golden.md", "units/requantizer.md", "units/rounding.md"])
def test_example_on_the_page(page):
    results = doctest.testfile(str(DOCS / page), module_relative=False)
    assert results.attempted
    assert not results.failed
