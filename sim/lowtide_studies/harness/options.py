"""The options that all studies share, and the output that they select."""

import functools
import json
import math
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs
import click
from rich.table import Table

from lowtide.cli.options import Name, Number, Whole, output_option
from lowtide.errors import CommandError
from lowtide.paths import check_output_file
from lowtide.synthesis.yosys import TARGETS
from lowtide.versions import versions
from lowtide_studies.harness.jobs import Runner
from lowtide_studies.harness.storage import open_study
from lowtide_studies.harness.tables import print_tables

__all__ = ["CACHE", "StudyOptions", "study_options", "target_option", "typed_option", "without_nan"]

CACHE = Path("build/cache")
"""Results of synthesis, shared with `lowtide report`."""

FOLDER = Path("build/studies")


@attrs.frozen(kw_only=True)
class StudyOptions:
    """Values of the shared options of `study_options`, and the name of the study.

    Without the option, ``seeds`` is 0. ``image`` is the suffix of the plot.
    """

    name: str
    quick: bool
    seeds: int = 0
    processes: int
    storage: str
    output: Path
    image: str
    as_json: bool
    quiet: bool
    started: float = attrs.field(factory=time.perf_counter)

    @property
    def plot(self) -> Path:
        return self.output / f"{self.name}.{self.image}"

    @property
    def data(self) -> Path:
        return self.output / f"{self.name}.json"

    def runner(self, study: str) -> Runner:
        """Runs jobs and keeps their results under the name of a study."""
        return Runner(processes=self.processes, study=open_study(self.storage, study), quiet=self.quiet)

    def report(
        self,
        *,
        settings: dict[str, Any],
        rows: Sequence[dict[str, Any]],
        tables: Iterable[Table],
        sentences: Iterable[str] = (),
        draw: Callable[[Path], None],
    ) -> None:
        """Write plot and JSON: settings of the study and all its figures. Print JSON, or tables and sentences."""
        packages = {name: version(name) for name in ("numpy", "scikit-learn", "optuna")}
        found = {"study": self.name, "versions": versions() | packages, "settings": settings, "rows": list(rows)}
        text = json.dumps(without_nan(found), indent=2, allow_nan=False)
        draw(self.plot)
        self.output.mkdir(parents=True, exist_ok=True)
        self.data.write_text(text + "\n", encoding="utf-8")
        if self.as_json:
            click.echo(text)
            return
        print_tables(tables)
        for line in (*sentences, self.plot, self.data, f"{time.perf_counter() - self.started:.0f} s"):
            click.echo(line)


def without_nan(value: Any) -> Any:
    """Plain values with None in place of NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def typed_option(kind: Name | Number | Whole, default: Any, text: str) -> Callable[[Any], Any]:
    """An option with the name of its type's key, a default, and a text for the help."""
    return click.option(f"--{kind.key}", type=kind, default=default, show_default=True, help=text)


target_option = click.option(
    "--target", type=click.Choice(list(TARGETS)), default="xc7", show_default=True, help="FPGA family."
)


def study_options(
    name: str, *, quick: str, seeds: int | None = None, least_seeds: int = 1, storage: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the shared options; it is called with a `StudyOptions` before its own options.

    Parameters
    ----------
    name : str
        Name of the study.
    quick : str
        What ``--quick`` runs.
    seeds : int, optional
        Default of ``--seeds``; a study without seeds does not have the option.
    least_seeds : int
        Fewest seeds.
    storage : str, optional
        Name of another study, whose storage is the default.
    """
    journal = str(FOLDER / f"{storage or name}.journal")
    options = [
        click.option("--quick", is_flag=True, help=f"Small version of the study: {quick}."),
        *([] if seeds is None else [typed_option(Whole("seeds", range(least_seeds, 1001)), seeds, "Number of seeds.")]),
        typed_option(Whole("processes", range(1, 257)), 2, "Jobs at a time."),
        click.option(
            "--storage",
            metavar="FILE|URL",
            default=journal,
            show_default=True,
            help="Optuna storage of finished jobs, which several machines may share: journal file or database URL.",
        ),
        output_option(str(FOLDER), "Folder of plot and JSON."),
        click.option(
            "--format",
            "image",
            type=click.Choice(["png", "svg"]),
            default="png",
            show_default=True,
            help="Format of the plot.",
        ),
        click.option("--json", "as_json", is_flag=True, help="JSON instead of tables."),
        click.option("--quiet", is_flag=True, help="No progress."),
    ]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        shared = {field.name for field in attrs.fields(StudyOptions)}

        @functools.wraps(function)
        def command(**values: Any) -> None:
            own = {key: value for key, value in values.items() if key not in shared}
            common = StudyOptions(name=name, **{key: value for key, value in values.items() if key in shared})
            for file in (common.plot, common.data):
                check_output_file(file)
            try:
                function(common, **own)
            except KeyboardInterrupt:
                raise CommandError(
                    f"interrupted: {common.storage} keeps the finished jobs; run the same command to resume"
                ) from None

        decorated: Callable[..., None] = command
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
