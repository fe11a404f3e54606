"""Random illegal inputs: one line, exit code 1 or 2, no traceback, nothing written, and no work started."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from random import Random

import click
import pytest
from illegal_inputs import Case, cases, commands, places
from illegal_values import FILES, FOLDERS, LINKS, PIPES, TEXTS, values_of

from lowtide.cli import main

list_module = import_module("lowtide.cli.list")

COUNT, SEED = 500, 20
SECONDS = 1.0
"""Most processor time of a refusal."""


class Started(BaseException):
    """Work was started, or a refusal took too long. Nothing that a command catches."""


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with files of all kinds, in which a command runs; it cannot start another process."""

    def refuse(*_, **__):
        raise Started("a process was started")

    def interrupt(_signal, _frame):
        raise Started("the refusal took too long")

    list(commands())  # imports do not count
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    for name in FOLDERS:
        (tmp_path / name).mkdir(parents=True)
    for name in PIPES:
        os.mkfifo(tmp_path / name)
    for name, target in LINKS.items():
        (tmp_path / name).symlink_to(target)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOWTIDE_PORT", raising=False)
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    monkeypatch.setattr(ProcessPoolExecutor, "__init__", refuse)
    handlers = [signal.signal(number, interrupt) for number in (signal.SIGALRM, signal.SIGVTALRM)]
    yield tmp_path
    signal.signal(signal.SIGALRM, handlers[0])
    signal.signal(signal.SIGVTALRM, handlers[1])


def refusal(case: Case, capsys: pytest.CaptureFixture[str]) -> str:
    """What is wrong with the answer to a case; nothing if all is well."""
    signal.setitimer(signal.ITIMER_VIRTUAL, 3 * SECONDS)
    signal.setitimer(signal.ITIMER_REAL, 60)
    started = time.process_time()
    code: object = None
    try:
        main(case.arguments)
    except SystemExit as exit_:
        code = exit_.code
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    finally:
        seconds = time.process_time() - started
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        out, err = capsys.readouterr()
    if code not in (1, 2):
        return f"exit code {code}"
    if out or not err.startswith("lowtide: ") or not err.endswith("\n") or not err[:-1].isprintable():
        return f"not one line: {out!r} {err!r}"
    if len(err) > 2100:
        return f"{len(err)} characters"
    return f"{seconds:.2f} s of processor time" if seconds > SECONDS else ""


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def test_every_command_and_option_is_drawn():
    drawn = {case.place for case in cases(Random(SEED), COUNT)}
    assert drawn == set(places())
    for path, command in commands():
        faults = {fault.split()[0] for name, fault in drawn if name == " ".join(path)}
        assert faults >= {parameter.opts[-1] for parameter in command.params if not parameter.is_eager}
    assert {name for name, _ in drawn} >= {" ".join(path) for path, _ in commands()}


def test_every_typed_option_has_illegal_values():
    """Options without are those that take any text, such as the name of a port."""
    for _, command in commands():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.is_flag and parameter.name != "changes":
                text = isinstance(parameter.type, type(click.STRING))
                assert text or TEXTS.get(parameter.opts[-1]) or values_of(parameter.type), parameter.opts


@pytest.mark.parametrize(("seed", "count"), [(SEED, COUNT), pytest.param(21, 10_000, marks=pytest.mark.slow)])
def test_illegal_inputs(seed, count, workplace, capsys):
    before, wrong = listing(workplace), []
    for case in cases(Random(seed), count):
        said = refusal(case, capsys)
        if (after := listing(workplace)) != before:
            said += f" written: {sorted(set(after.items()) ^ set(before.items()))}"
            before = after
        if said:
            wrong.append(f"{said[:300]}: {str(case.arguments)[:300]}")
    assert not wrong, "\n".join(wrong)


def test_faulty_refusals_are_detected(workplace, capsys, monkeypatch):
    """Legal input, work that is started, a refusal of two lines, a traceback, and one that takes too long."""
    monkeypatch.setattr(sys.modules[__name__], "SECONDS", 0.5)
    listed = Case(("list", ""), ["list"])
    assert refusal(listed, capsys) == "exit code 0"
    assert refusal(Case(("emit", ""), ["emit", "tiny"]), capsys) == "Started: a process was started"

    def complain():
        click.echo("a line", err=True)
        raise click.UsageError("another")

    def loop():
        while True:
            pass

    for answer, said in ((complain, "not one line: "), ({}.popitem, "KeyError: "), (loop, "Started: the refusal took")):
        monkeypatch.setattr(list_module, "catalog", answer)
        assert refusal(listed, capsys).startswith(said)
