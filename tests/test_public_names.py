"""Public names of the package root."""

import subprocess
import sys

import pytest

import lowtide


def test_public_names_are_those_of_their_modules():
    from lowtide.config import Config
    from lowtide.emission import emit
    from lowtide.errors import LowtideError

    assert (lowtide.Config, lowtide.emit, lowtide.LowtideError) == (Config, emit, LowtideError)
    assert {name for name in lowtide.__all__ if hasattr(lowtide, name)} == set(lowtide.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'lowtide' has no attribute 'config_of'"):
        lowtide.config_of  # noqa: B018


def test_package_root_does_not_import_amaranth():
    script = "import sys, lowtide; lowtide.LowtideError, lowtide.__version__; sys.exit('amaranth' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
