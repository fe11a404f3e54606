"""Tables of the workload."""

from collections.abc import Iterator

from rich.table import Table

from lowtide.config import Config
from lowtide_studies.networks.inference_network import WIDTHS
from lowtide_studies.workload.checked import Total
from lowtide_studies.workload.large import SHAPE
from lowtide_studies.workload.run import Results

__all__ = ["configuration_text", "tables"]


def configuration_text(source: str, given: Config, fitting: Config) -> str:
    """The simulated hardware, and its differences from the given configuration."""
    raised = [
        f"bfp.{key} raised from {getattr(given.bfp, key)} to {getattr(fitting.bfp, key)}"
        for key in ("mantissa", "max_k")
        if getattr(given.bfp, key) != getattr(fitting.bfp, key)
    ]
    array, bfp = fitting.array, fitting.bfp
    return (
        f"{array.rows} × {array.columns} {array.element}, {bfp.lanes} lanes, chunks of {bfp.chunk_a} × {bfp.chunk_b}"
        f" bits, exponents of {bfp.exponent} bits, accumulators of {bfp.accumulator} bits"
        f" (configuration {source}{', with ' + ' and '.join(raised) if raised else ''})"
    )


def tables(results: Results) -> Iterator[Table]:
    """A table of the network at every precision, and a table of the large product."""
    network = "-".join(map(str, WIDTHS))
    images = f"{results.images} held-out image{'s' if results.images > 1 else ''}"
    table = _table(f"{images}, network {network}", "Bits", "Accuracy", "FP32")
    for inference in results.inferences:
        table.add_row(
            str(inference.precision),
            f"{inference.accuracy:.2%}",
            f"{results.fp32:.2%}",
            *_costs(inference.total),
        )
    yield table
    if results.large:
        shape = " × ".join(map(str, SHAPE))
        table = _table(f"{shape}, random data", "Bits")
        for product in results.large:
            table.add_row(str(product.precision), *_costs(product.total))
        yield table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in (*columns, "Cycles", "Beats\n/cycle", "PE\nutilization", "Words\ncompared", "Equal"):
        table.add_column(column, justify="right")
    return table


def _costs(total: Total) -> tuple[str, ...]:
    return (
        f"{total.cycles:,}",
        f"{total.beat_rate:.3f}",
        f"{total.utilization:.1%}",
        f"{total.words:,}",
        f"{total.equal:,}",
    )
