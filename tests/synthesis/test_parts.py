"""The parts of an array that a report measures are modules of it, whatever the shape."""

import pytest

from fixtures.slow_cases import one_in
from lowtide.config import Config
from lowtide.synthesis.parts import engine_parts_of, part_names, parts_of, serial_parts_of


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (2, 1), (3, 2), (17, 16)])
def test_parts_are_modules_of_the_array(rows, columns):
    parts = parts_of(Config.load("tiny").changed({"array.rows": rows, "array.columns": columns}))
    for part in parts:
        assert f"module {part.top}(" in part.verilog, part.name
    assert ("array" in [part.name for part in parts]) == (rows * columns <= 256)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (17, 5)])
@pytest.mark.parametrize("skew", ["registers", "memory"])
def test_parts_are_modules_of_an_array_of_blocks(rows, columns, skew):
    keys = {"rows": rows, "columns": columns, "skew": skew, "block_rows": 2, "block_columns": 3}
    for part in parts_of(Config.load("tiny").changed({f"array.{key}": value for key, value in keys.items()})):
        assert f"module {part.top}(" in part.verilog, part.name


@pytest.mark.parametrize(
    ("top", "parts", "preset"),
    [
        ("array", parts_of, "tiny"),
        ("array", parts_of, "terms"),
        ("engine", engine_parts_of, "icebreaker"),
        ("engine", engine_parts_of, "terms"),
        ("serial", serial_parts_of, "icebreaker"),
    ],
)
def test_names_are_known_before_parts_are_built(top, parts, preset):
    config = Config.load(preset)
    assert part_names(config, top) == [part.name for part in parts(config)]


@pytest.mark.parametrize("parts_of_top", one_in(2, [engine_parts_of, serial_parts_of]))
def test_parts_are_modules_of_an_engine(parts_of_top):
    for part in parts_of_top(Config.load("tiny")):
        assert f"module {part.top}(" in part.verilog, part.name
