"""Runs the blocks of a page in order, as a reader would."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d[\d,.]*")
PROGRAMS = {"lowtide": ["-m", "lowtide"], "pytest": ["-m", "pytest", "-q", "-p", "no:cacheprovider"]}


def run_page(page: Path, folder: Path) -> int:
    """Run every ``pycon`` and ``console`` block in a folder, and write blocks with a caption into files.

    A line with ``…`` must occur in the output; ``…`` is any text. The numbers of any other line must occur
    in a line of the output. Blocks of other languages are not run, nor are programs other than lowtide and pytest.

    Returns
    -------
    int
        Number of blocks that ran.
    """
    names, ran = {}, 0
    for place, block in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8"))):
        info, text = block["info"], block["text"]
        if info == "pycon":
            check_session(text, names, f"{page.name}, block {place}")
        elif info == "console":
            check_commands(text, folder)
        elif info.startswith("{code-block}") and text.startswith(":caption: "):
            caption, _, code = text.partition("\n")
            (folder / caption.removeprefix(":caption: ")).write_text(code.lstrip("\n"), encoding="utf-8")
            continue
        else:
            continue
        ran += 1
    return ran


def check_session(text: str, names: dict, name: str) -> None:
    """A session of Python answers as the page shows; names stay for the next session."""
    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    report = []
    runner = doctest.DocTestRunner()
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not runner.failures, "".join(report)


def check_commands(text: str, folder: Path) -> None:
    """Each command succeeds, and prints the numbers of the lines below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        program, *arguments = shlex.split(command)
        if program not in PROGRAMS:
            continue
        done = subprocess.run(
            [sys.executable, *PROGRAMS[program], *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        printed = [NUMBER.findall(line) for line in done.stdout.splitlines()]
        for line in shown.splitlines():
            numbers = NUMBER.findall(line)
            if "…" in line:
                found = re.search(re.escape(line).replace("…", ".*"), done.stdout)
            else:
                found = any(numbers == output[: len(numbers)] for output in printed)
            assert found, f"{command}: no line as {line!r}"
