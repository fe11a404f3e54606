"""Progress of long commands on stderr: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.status import Status
from rich.text import Text

__all__ = ["Steps", "progress_bar", "progress_steps"]

MOST_LINES = 100
"""Most plain lines per task; a task of more items reports every hundredth part."""

LONG = 30
"""Seconds after which a plain line reports a part of an item, and the estimated time that remains."""


class _Progress(Progress):
    """A bar that prints plain lines where stderr is no terminal."""

    lines = False
    reported = 0.0

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        super().__exit__(kind, *error)
        for task in self.tasks:
            if self.lines and kind is None and task.total is None:
                self._line(f"{task.description}: {task.elapsed or 0:.0f} s")

    def update(self, task_id: TaskID, **changes: Any) -> None:
        before = self._tasks[task_id].completed
        super().update(task_id, **changes)
        self._report(task_id, before)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        before = self._tasks[task_id].completed
        super().advance(task_id, advance)
        self._report(task_id, before)

    def _report(self, task_id: TaskID, before: float) -> None:
        task = self._tasks[task_id]
        if not self.lines or task.total is None or task.completed <= before:
            return
        step, now = max(1, task.total / MOST_LINES), time.monotonic()
        finished = task.completed // step > before // step or task.completed >= task.total
        if not finished and now - self.reported < LONG:
            return
        self.reported = now
        item, elapsed = task.fields.get("item"), task.elapsed or 0
        line = f"{task.description}: {round(task.completed, 1):g} of {task.total:g}" + (f", {item}" if item else "")
        share = task.fields.get("share") or task.completed / task.total
        if elapsed >= LONG and share < 1:
            line += f", about {elapsed * (1 - share) / share:.0f} s left"
        self._line(line)

    def _line(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)


def progress_bar(*, quiet: bool = False) -> Progress:
    """Progress of tasks on stderr: bars on a terminal, elsewhere one plain line per finished item.

    The field ``item`` of an update names the finished item, and ``share`` is the finished share of the work, for items
    that take different times. A task of more than 100 items has one line per hundredth
    part. After 30 s without a line, a line reports the finished part of an item; lines then estimate the time that
    remains. A task without a total has one line at its end.
    """
    console = Console(stderr=True)
    progress = _Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    progress.reported = time.monotonic()
    progress.lines = not quiet and not console.is_terminal
    return progress


class Steps:
    """Progress of work in named steps: a status line on a terminal, elsewhere one plain line per finished step."""

    def __init__(self, console: Console | None, status: Status | None):
        self._console, self._status = console, status

    def begin(self, text: str) -> None:
        """Show the current step on a terminal."""
        if self._status:
            self._status.update(Text(text))

    def finish(self, text: str) -> None:
        """Print a finished step where stderr is no terminal."""
        if self._console and not self._status:
            self._console.print(Text(text), soft_wrap=True)


@contextmanager
def progress_steps(*, quiet: bool = False) -> Iterator[Steps]:
    """Give `Steps` that report on stderr; with ``quiet``, they report nothing."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Steps(None if quiet else console, None)
        return
    with console.status("") as status:
        yield Steps(console, status)
