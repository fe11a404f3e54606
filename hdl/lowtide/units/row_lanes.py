"""Lanes of a row: equal units that convert the beats of a `StreamDownsizer` in lockstep."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

from lowtide.netlist import Unit, place
from lowtide.units.arithmetic.saturating_counter import SaturatingCounter
from lowtide.units.stream.delay import delayed
from lowtide.units.stream.width_converters import StreamDownsizer

__all__ = ["count_accepted", "place_lanes"]


def place_lanes(
    m: Module,
    platform: Any,
    unit: Unit,
    downsizer: StreamDownsizer,
    name: str,
    lane: Callable[[], Unit],
    settings: Mapping[str, Value],
) -> list[Unit]:
    """Place a downsizer and one unit per lane between the streams ``i`` and ``o`` of ``unit``, and return the lanes.

    Parameters
    ----------
    m, platform
        As for `place`.
    unit : Unit
        Unit whose rows of ``i`` become beats of ``o``.
    downsizer : StreamDownsizer
        Splits the rows.
    name : str
        Name of a lane, before its number.
    lane : callable
        Returns the unit of a lane.
    settings : mapping of str to Value
        Settings of every lane, by port. They follow their rows through the downsizer.
    """
    move = Signal()
    place(m, platform, "downsizer", downsizer, enable=move, i=unit.i)
    delayed_settings = {port: delayed(m, value, downsizer.latency, enable=move) for port, value in settings.items()}
    lanes = [
        place(
            m,
            platform,
            f"{name}_{n}",
            lane(),
            i__payload=Cat(downsizer.words.word_select(n, downsizer.width), downsizer.last),
            i__valid=downsizer.valid,
            o=unit.o,
            **delayed_settings,
        )
        for n in range(downsizer.lanes)
    ]
    # The lanes run in lockstep: the handshake and the mark of the first are valid for all.
    first = lanes[0]
    m.d.comb += [
        move.eq(first.i.ready),
        unit.i.ready.eq(downsizer.i.ready),
        unit.o.valid.eq(first.o.valid),
        unit.o.payload.row.eq(delayed(m, downsizer.row, first.latency, enable=move)),
        unit.o.payload.last.eq(first.o.payload.last),
    ]
    m.d.comb += [word.eq(lane.o.payload.data) for word, lane in zip(unit.o.payload.lane, lanes, strict=True)]
    return lanes


def count_accepted(m: Module, platform: Any, unit: Unit, name: str, events: Iterable[Value], counter_bits: int) -> None:
    """Count the events of accepted beats, one bit per lane, at the port ``name`` of ``unit``."""
    accepted = unit.o.valid & unit.o.ready
    bits = Cat(events)
    counter = SaturatingCounter(len(bits), counter_bits)
    place(m, platform, name, counter, events=bits & accepted.replicate(len(bits)), clear=unit.clear)
    m.d.comb += getattr(unit, name).eq(counter.count)
