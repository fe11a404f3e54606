"""Progress on standard error: a bar on a terminal, otherwise one plain line per finished item."""

from lowtide.cli.progress import progress_bar

__all__ = ["Progress"]


class Progress:
    """Counts finished items.

    Parameters
    ----------
    label : str
        What is done.
    total : int
        Number of items.
    quiet : bool
        Whether nothing is written.
    """

    def __init__(self, label: str, total: int, *, quiet: bool = False):
        self.done = 0
        self.bar = progress_bar(quiet=quiet)
        self.task = self.bar.add_task(label, total=total)

    def __enter__(self) -> "Progress":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def finish(self, item: str, done: int | None = None) -> None:
        """Report one finished item by its name; ``done`` counts the items that others finished, too."""
        self.done = self.done + 1 if done is None else done
        self.bar.update(self.task, completed=self.done, item=item)
