"""Tables, sentences and plot of the study."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from rich.table import Table

from lowtide_studies.harness.plots import DARK, RED, save_plot, style_axes
from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.harness.tables import counted, mean_and_error, new_table
from lowtide_studies.network_revealing.engines import EngineCost
from lowtide_studies.network_revealing.study import MOST_PERPLEXITY, Result
from lowtide_studies.network_revealing.sweep import SAMPLES
from lowtide_studies.term_revealing.area_time import Measured
from lowtide_studies.term_revealing.report import area_table, draw_fewer_bits, draw_pairs
from lowtide_studies.term_revealing.revealed import plain_pairs
from lowtide_studies.term_revealing.selection import ALLOWED, MARGIN, front
from lowtide_studies.term_revealing.sweep import Point

__all__ = ["plot", "sentences", "tables"]

LOSS = "Losses in points of accuracy, or per cent of perplexity"


def tables(results: Sequence[Result], elements: Sequence[Measured], engines: Sequence[EngineCost]) -> Iterator[Table]:
    """Plain quantization, selected settings, fronts, fewer bits, fine-tuning, and area times time."""
    yield _plain_table(results)
    yield _chosen_table(results)
    for result in results:
        yield _front_table(result)
    yield _narrower_table(results)
    if any(result.tuned for result in results):
        yield _tuned_table(results)
    yield from map(area_table, elements)
    if engines:
        yield _engine_table(engines)


def quality(result: Result, scores: Sequence[float]) -> str:
    """Mean accuracy, or perplexity of the mean score, without its standard error."""
    mean = Summary.of(scores).mean
    return f"{math.exp(-mean / 100):.2f}" if result.run.text else f"{mean:.2f} %"


def loss_text(result: Result, loss: Difference) -> str:
    """Points of accuracy, or per cent of perplexity, with the standard error over seeds if there is more than one."""
    if result.run.text:
        ratio = math.exp(loss.mean / 100)
        loss = Difference(mean=100 * (ratio - 1), error=ratio * loss.error, unpaired=ratio * loss.unpaired)
    text = mean_and_error(loss)
    return f"{text} %" if result.run.text else text


def _plain_table(results: Sequence[Result]) -> Table:
    seeds = counted(len(results[0].sweep.plain.fp32), "seed")
    width = results[0].sweep.width
    table = new_table(
        f"plain quantization to {width} bits, {seeds}; accuracy, or perplexity per character, on test data",
        ("Network", "Data"),
        ("FP32", "Plain", "Pairs per product,\nall bits", *(f"Nonzero pairs,\n{name}" for name in _encodings(results))),
    )
    for result in results:
        plain = result.sweep.plain
        present = [f"{Summary.of(plain.present[name]).mean:.2f}" for name in _encodings(results)]
        scores = [quality(result, values) for values in (plain.fp32, plain.held_out)]
        table.add_row(result.run.network, result.data, *scores, str(plain_pairs(width)), *present)
    return table


def _encodings(results: Sequence[Result]) -> list[str]:
    return list(results[0].sweep.plain.present)


def _chosen_table(results: Sequence[Result]) -> Table:
    table = new_table(
        f"settings of fewest pairs: validation loss of {ALLOWED} points, or {MOST_PERPLEXITY:g} % of perplexity, or"
        f" less with {MARGIN} standard errors",
        ("Network", "Setting"),
        (
            "Validation\nloss",
            "Test\nloss",
            "k/g",
            "Pairs at most,\nk·s/g",
            "Times\nfewer",
            "Times fewer,\nshort groups",
            "Nonzero\npairs",
            "Times fewer nonzero\nbinary | HESE",
        ),
        LOSS,
    )
    for result in results:
        for encoding in dict.fromkeys(point.setting.encoding for point in result.sweep.points):
            point = result.chosen(encoding)
            if point is None:
                table.add_row(result.run.network, f"{encoding}: none")
            else:
                table.add_row(result.run.network, str(point.setting), *_figures(result, point))
    return table


def _figures(result: Result, point: Point) -> tuple[str, ...]:
    sweep = result.sweep
    return (
        loss_text(result, sweep.validation_loss(point)),
        loss_text(result, sweep.loss(point)),
        f"{point.setting.cycles:g}",
        f"{point.setting.bound:g}",
        f"{sweep.times_fewer(point):.1f}",
        f"{sweep.times_fewer_at_most(point):.1f}",
        f"{Summary.of(point.present).mean:.2f}",
        f"{sweep.times_fewer_present(point):.2f} | {sweep.times_fewer_present(point, 'hese'):.2f}",
    )


def _front_table(result: Result) -> Table:
    table = new_table(
        f"{result.run.network}: Pareto front of pairs and validation loss",
        ("Setting",),
        ("Pairs at most", "Times fewer", "Validation loss", "Test loss"),
    )
    sweep = result.sweep
    for point in front(sweep):
        losses = (loss_text(result, loss) for loss in (sweep.validation_loss(point), sweep.loss(point)))
        table.add_row(str(point.setting), f"{point.setting.bound:g}", f"{sweep.times_fewer(point):.1f}", *losses)
    return table


def _narrower_table(results: Sequence[Result]) -> Table:
    widths = [width for width in results[0].narrower.held_out if width <= results[0].sweep.width]
    table = new_table(
        "plain quantization to fewer bits: test loss, and pairs of bits per product",
        ("Network",),
        tuple(f"{width} bits,\n{plain_pairs(width)} pairs" for width in widths),
        LOSS,
    )
    for result in results:
        losses = [result.narrower.loss(width, widths[0]) for width in widths]
        table.add_row(result.run.network, *(loss_text(result, loss) for loss in losses))
    return table


def _tuned_table(results: Sequence[Result]) -> Table:
    table = new_table(
        "after fine-tuning with kept terms: test loss, relative to plain quantization after fine-tuning",
        ("Network", "Setting"),
        ("Pairs at most", "Plain, before", "Plain, after", "Test loss"),
        LOSS,
    )
    for result in results:
        before, after = (quality(result, one) for one in (result.sweep.plain.held_out, result.tuned[0].held_out))
        for tuned in result.tuned[1:]:
            assert tuned.setting is not None
            loss = loss_text(result, result.tuned_loss(tuned))
            table.add_row(result.run.network, str(tuned.setting), f"{tuned.setting.bound:g}", before, after, loss)
    return table


def _engine_table(engines: Sequence[EngineCost]) -> Table:
    table = new_table(
        f"engines of 64 elements: cells, and cycles for {SAMPLES} images or sequences, with loading",
        ("Network", "Setting"),
        (
            "Cells,\ninteger engine",
            "Mcycles,\ninteger engine",
            "Cells,\nterm engine",
            "Mcycles,\nterm engine",
            "Speed at\nequal area",
        ),
        "Integer engine: pmac with Booth rows. Above 1, the engine of terms is faster.",
    )
    for one in engines:
        figures = (
            *(f"{one.integer_cells:,}", f"{one.integer_cycles / 1e6:.2f}"),
            *(f"{one.term_cells:,}", f"{one.term_cycles / 1e6:.2f}"),
        )
        table.add_row(one.network, str(one.setting), *figures, f"{one.speed:.2f}")
    return table


def sentences(results: Sequence[Result], engines: Sequence[EngineCost]) -> Iterator[str]:
    """For each network, the saved pairs, the loss, and area times time of the selected setting."""
    costs = {one.network: one for one in engines}
    for result in results:
        point, network = result.chosen(), result.run.network
        if point is None:
            yield f"{network}: no setting loses little enough on validation data."
            continue
        sweep = result.sweep
        unit = "perplexity" if result.run.text else "points"
        text = (
            f"{network}: {point.setting} needs {sweep.times_fewer(point):.1f} times fewer pairs than all bits and "
            f"{sweep.times_fewer_present(point):.1f} times fewer pairs than the nonzero bits. It loses "
            f"{loss_text(result, sweep.loss(point))} {'of ' if result.run.text else ''}{unit} on test data."
        )
        if network in costs:
            text += f" At equal area, an engine of terms has {costs[network].speed:.2f} of an integer engine's speed."
        yield text


LARGEST = 8.0
"""Largest loss of the plot."""


def plot(results: Sequence[Result], file: Path) -> None:
    """Draw the test loss by pairs per product, for each network."""
    columns = min(2, len(results))
    rows = -(-len(results) // columns)
    figure = Figure(figsize=(1.2 + 4.8 * columns, 0.6 + 3.6 * rows), layout="constrained")
    plots = figure.subplots(rows, columns, squeeze=False)
    for axes in plots.flat[len(results) :]:
        axes.set_visible(False)
    for result, axes in zip(results, plots.flat, strict=False):
        draw_pairs(axes, result.sweep, result.allowed)
        draw_fewer_bits(axes, result.narrower, result.sweep.width)
        tuned = [one for one in result.tuned if one.setting is not None]
        if tuned:
            pairs = [one.setting.bound for one in tuned if one.setting is not None]
            axes.plot(pairs, [result.tuned_loss(one).mean for one in tuned], "D", color=RED, label="hese, fine-tuned")
        axes.axhline(result.allowed, color=DARK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_ylim(-0.6, LARGEST)
        lost = "cross-entropy added (0.01 nats)" if result.run.text else "accuracy lost (points)"
        axes.set_ylabel(lost)
        title = f"{result.run.network}, {result.data}, {result.sweep.width} bits"
        axes.set_title(title, loc="left", fontsize="small")
        axes.legend(frameon=False, fontsize="small", loc="upper right")
    style_axes(*plots.flat)
    seeds = counted(len(results[0].sweep.plain.fp32), "seed")
    save_plot(figure, file, f"Term revealing on networks: loss on test data, relative to plain quantization, {seeds}")
