"""Documented signatures of components are the signatures of their constructors."""

import importlib.util
from pathlib import Path

import pytest

from lowtide.config import Config
from lowtide.emission.serial import SerialTop
from lowtide.emission.top import AxiStreamEngine
from lowtide.units.stream.buffers import Fifo

FILE = Path(__file__).parents[2] / "docs" / "_ext" / "component_signatures.py"


@pytest.fixture(scope="module")
def signature_of():
    spec = importlib.util.spec_from_file_location("component_signatures", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda what, obj: module.constructor_signature(None, what, "", obj, None, "(*args, src_loc_at=0)", None)


@pytest.mark.parametrize(
    ("unit", "signature"),
    [
        (Fifo, "(width, depth)"),
        (AxiStreamEngine, "(config, name='lowtide_engine', bus='plain')"),
        (SerialTop, "(config, name='lowtide_serial', test=None)"),
    ],
)
def test_a_component_has_its_constructor(signature_of, unit, signature):
    assert signature_of("class", unit) == (signature, None)


def test_other_signatures_stay(signature_of):
    assert signature_of("class", Config) is None
    assert signature_of("method", Config.load) is None
