"""Slices of the long tests: each test is in exactly one slice, and no slice takes long in CI."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import slices

ROOT = Path(__file__).parents[1]
COLLECT = [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", "-q", "-m", "slow"]
MOST = 10 * 60 * 2 * 0.75
"""Most processor seconds of a slice: ten minutes of two cores, minus a quarter for waiting."""


@pytest.fixture(scope="module")
def parts():
    """The module of slices."""
    return slices


@pytest.fixture(scope="module")
def slow():
    """Names of all long tests."""
    return collected()


def collected(*arguments):
    done = subprocess.run([*COLLECT, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def in_ci():
    (count,) = re.findall(r"^SLICES=(\d+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    return int(count)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, in_ci(), 2000])
def test_each_long_test_is_in_one_slice(parts, slow, count):
    found = parts.slices(slow, count, parts.durations())
    assert len(slow) > 800
    assert len(found) == count
    assert sorted(name for part in found for name in part) == sorted(slow)


@pytest.mark.slow
def test_no_slice_of_ci_takes_long(parts, slow):
    recorded = parts.durations()
    seconds = parts.estimates(slow, recorded)
    loads = [sum(seconds[name] for name in part) for part in parts.slices(slow, in_ci(), recorded)]
    assert max(loads) <= MOST


@pytest.mark.slow
def test_the_option_selects_the_slices():
    file = "tests/formal/test_rounding_properties.py"
    found = [collected("--slice", f"{n}/3", file) for n in (1, 2, 3)]
    assert all(found)
    assert sorted(name for part in found for name in part) == sorted(collected(file))


def test_a_test_without_a_record_has_the_mean_time_of_its_function(parts):
    recorded = parts.records({"a::f[1]": 40.0, "a::f[2]": 10.0, "a::f[3]": 20.0, "a::g": 50.0})
    assert recorded == {"a::f[1]": 40.0, "a::f": 15.0, "a::g": 50.0}
    names = ["a::f[1]", "a::f[2]", "a::f[3]", "a::f[4]", "a::h"]
    assert parts.estimates(names, recorded) == dict(zip(names, [40.0, 15.0, 15.0, 15.0, parts.UNRECORDED], strict=True))
    assert parts.slices(names[:4], 2, recorded) == [{"a::f[1]"}, set(names[1:4])]


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", ""])
def test_an_illegal_slice_is_rejected(parts, text):
    with pytest.raises(pytest.UsageError, match=rf"^--slice must be N/M with N from 1 to M, not {re.escape(text)}$"):
        parts.slice_of(text)


def test_ci_selects_the_slice_by_the_commit():
    """The shell arithmetic of the CI script selects every slice for some commit."""
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (line,) = re.findall(r"^slice=.*$", text, re.MULTILINE)
    script = f"SLICES={in_ci()}; for n in {{0..199}}; do commit=$(printf %08x $n); {line}; echo $slice; done"
    numbers = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert {int(number) for number in numbers} == set(range(1, in_ci() + 1))


def test_recorded_names_are_those_of_any_machine():
    assert [name for name in slices.durations() if re.search(r"[\[-](/|[A-Z]:)", name)] == []
