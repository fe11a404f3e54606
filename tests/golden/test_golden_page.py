"""The page's example gives what the page says."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "golden.md"


def test_example_on_the_page():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted
    assert not results.failed
