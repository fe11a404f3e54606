"""Parts of the tests: slices of about equal processor time, and what the last run skipped."""

import json
import os
from collections import defaultdict
from pathlib import Path
from statistics import mean

import pytest

RECORDED = Path(__file__).with_name("durations.json")
UNRECORDED = 20.0
"""Processor seconds of a test of which neither it nor a test of the same function has a record."""
SKIPPED = "lowtide/skipped"
STARTED = pytest.StashKey[float]()


def pytest_addoption(parser):
    """Add ``--slice``, ``--skipped`` and ``--record``."""
    group = parser.getgroup("lowtide")
    group.addoption("--slice", metavar="N/M", help="run part N of M of the selected tests, of about equal time")
    group.addoption("--skipped", action="store_true", help="run the tests that the last run skipped")
    group.addoption("--record", action="store_true", help=f"record processor times of tests in {RECORDED.name}")


def pytest_configure(config):
    """Refuse an illegal slice, and listen to the tests."""
    if config.getoption("slice"):
        slice_of(config.getoption("slice"))
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Listener(config), "lowtide-listener")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Keep the tests of the slice, or those that were skipped."""
    names = [item.nodeid for item in items]
    if config.getoption("slice"):
        number, count = slice_of(config.getoption("slice"))
        keep(config, items, slices(names, count, durations())[number - 1])
    if config.getoption("skipped"):
        keep(config, items, set(config.cache.get(SKIPPED, [])))


def keep(config, items, names):
    """Deselect the tests that are not among these."""
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in names])
    items[:] = [item for item in items if item.nodeid in names]


def slice_of(text):
    """The numbers N and M of ``N/M``."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise pytest.UsageError(f"--slice must be N/M with N from 1 to M, not {text}")
    return int(number), int(count)


def durations():
    """Recorded processor seconds by node ID."""
    return json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}


def estimates(names, recorded):
    """Processor seconds of each test: recorded, or the mean of the recorded tests of its function."""
    of_function = defaultdict(list)
    for name, seconds in recorded.items():
        of_function[name.partition("[")[0]].append(seconds)
    means = {function: mean(seconds) for function, seconds in of_function.items()}
    return {name: recorded.get(name, means.get(name.partition("[")[0], UNRECORDED)) for name in names}


def slices(names, count, recorded):
    """Sets of names: each name, the longest first, joins the slice that has the least time so far."""
    seconds = estimates(names, recorded)
    parts, loads = [set() for _ in range(count)], [0.0] * count
    for name in sorted(names, key=lambda name: (-seconds[name], name)):
        least = loads.index(min(loads))
        parts[least].add(name)
        loads[least] += seconds[name]
    return parts


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Note the processor time at the start of a test."""
    item.stash[STARTED] = processor_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add a test's processor time to its report, which also reaches the controller from a worker."""
    report = yield
    if report.when == "call":
        report.user_properties.append(("processor_seconds", processor_seconds() - item.stash[STARTED]))
    return report


def processor_seconds():
    """Processor time of this process and of its ended children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Listener:
    """Keeps the names of skipped tests for ``--skipped`` and, with ``--record``, the times of passed ones."""

    def __init__(self, config):
        self.config, self.seconds, self.skipped = config, {}, []

    def pytest_runtest_logreport(self, report):
        """Take what became of a test."""
        if report.skipped:
            self.skipped.append(report.nodeid)
        if report.when == "call" and report.passed:
            self.seconds[report.nodeid] = round(dict(report.user_properties)["processor_seconds"], 1)

    def pytest_sessionfinish(self):
        """Write what is kept; tests that did not run keep their record."""
        if self.config.option.collectonly:
            return
        self.config.cache.set(SKIPPED, self.skipped)
        if self.config.getoption("record"):
            merged = json.dumps(durations() | self.seconds, indent=0, sort_keys=True, ensure_ascii=False)
            RECORDED.write_text(merged + "\n", encoding="utf-8")
