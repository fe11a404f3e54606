"""BFP converter: a group of FP32 numbers per cycle becomes a group with a shared exponent."""

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place
from lowtide.units.conversion.exponents import ExponentWindow, MaxExponent
from lowtide.units.conversion.improvement_meter import ImprovementMeter
from lowtide.units.conversion.lane import Fp32Unpacker, MantissaQuantizer
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.stream.delay import delayed

__all__ = ["BfpConverter"]

METERED = ("start", "compare", "threshold", "busy", "above_threshold", "low_sum", "high_sum")
"""Ports of a meter that are also ports of the converter."""


class BfpConverter(Unit):
    """BFP converter: converts FP32 to block floating point, one group per cycle.

    For a group ``x`` with ``X = max floor(log2 |x_i|)`` over its nonzero elements, and ``m = chunks * w``:
    ``E = clamp(X - B, 0, 2**e - 1)`` and ``M_i = min(round(|x_i| * 2**(m - 1 - E - B)), 2**m - 1)``, with the sign of
    ``x_i`` if ``M_i > 0``. A group of zeros has ``E = 0``. Subnormal numbers and NaNs count as zeros; an infinity has
    the exponent 128 and always the largest magnitude.

    All stages advance together, whenever the last stage is empty or its group is accepted. So the converter loses no
    group and can accept a group in every cycle.

    Parameters
    ----------
    params : ConverterParams
        Format and rounding of the groups.
    elements : int, optional
        Largest number of elements of a tensor. If given, an `ImprovementMeter` measures tensors.

    Members
    -------
    bias : In(signed(9))
        Exponent bias ``B`` of the tensor.
        Steady from the cycle before the first group is offered until the last group leaves.
    chunks : In(range(max_chunks + 1))
        Chunks per magnitude, from 1 to ``max_chunks``; steady while ``bias`` is steady.
    i : In(stream of params.layout_i)
        Groups of numbers. The sender pads a short group with zeros.
    o : Out(stream of params.layout_o)
        Converted groups, with magnitudes in the low ``m`` bits, ``latency`` cycles later if nothing stalls.
    saturated_group : Out(1)
        High while the group on ``o`` exceeds the window: ``X - B > 2**e - 1``.
    saturated_elements : Out(range(lanes + 1))
        Saturated elements of the group on ``o``: infinities, and elements whose rounded magnitude exceeds ``2**m - 1``.
    nonfinite_group : Out(1)
        High while the group on ``o`` has a NaN or an infinity.
    nonfinite : Out(1)
        Sticky ``nonfinite_group``: high from the first such group on ``o`` until reset.
    random : In(lanes * random)
        A random word per lane, lane 0 in the lowest bits. Only with stochastic rounding.
    step : Out(1)
        High when a group uses the random words: the next group needs new ones. Only with stochastic rounding.
    row : Out(1)
        With ``step``: high with the last group of a row. Only with stochastic rounding.
    start : In(1)
        Pulses for one cycle before the first group of a tensor; clears the sums. Only with ``elements``.
    compare : In(1)
        Pulses for one cycle, ``meter_latency`` cycles or more after the last group of a tensor is accepted on ``o``, to
        start the comparison. Only with ``elements``.
    threshold : In(10)
        Threshold in 256ths; steady from ``compare`` until ``busy`` is low. Only with ``elements``.
    busy : Out(1)
        High while the comparison runs. Only with ``elements``.
    above_threshold : Out(1)
        High if the relative improvement exceeded the threshold in the last comparison. Only with ``elements``.
    low_sum, high_sum : Out(meter.width)
        Sums of the second and of the first chunks, see `ImprovementMeter`. Only with ``elements``.

    Attributes
    ----------
    meter : ImprovementMeter or None
        Meter of the tensors.

    Notes
    -----
    Source: the converter of FAST, HPCA 2022. FAST's tree of comparators finds the largest exponent. Here the window of
    exponents is given, so that the largest code has only a few bits.
    """

    def __init__(self, params: ConverterParams, elements: int | None = None):
        self.params = params
        self.meter = ImprovementMeter(params, elements) if elements else None
        self.module_name = f"bfp_converter_{params.name}" + (f"_{self.meter.width}" if self.meter else "")
        ports = {
            "bias": In(signed(9)),
            "chunks": In(range(params.max_chunks + 1)),
            "i": In(stream.Signature(params.layout_i)),
            "o": Out(stream.Signature(params.layout_o)),
            "saturated_group": Out(1),
            "saturated_elements": Out(range(params.lanes + 1)),
            "nonfinite_group": Out(1),
            "nonfinite": Out(1),
        }
        if params.stochastic:
            ports |= {"random": In(params.lanes * params.random), "step": Out(1), "row": Out(1)}
        if self.meter:
            ports |= {name: self.meter.signature.members[name] for name in METERED}
        super().__init__(ports)
        self._max_exponent = MaxExponent(params)

    @property
    def meter_latency(self) -> int:
        """Cycles from the last group accepted on ``o`` to sums that include it."""
        assert self.meter
        return max(self.meter.latency - (MantissaQuantizer.latency + 1 - MantissaQuantizer.shown), 0) + 1

    @property
    def latency(self) -> int:
        """Cycles from a group accepted on ``i`` to the group on ``o``, if nothing stalls."""
        return Fp32Unpacker.latency + self._max_exponent.latency + MantissaQuantizer.latency + 1

    def elaborate(self, platform):
        m = Module()
        params, lanes = self.params, range(self.params.lanes)
        window = place(m, platform, "window", ExponentWindow(params), bias=self.bias, chunks=self.chunks)
        move = Signal()
        m.d.comb += [move.eq(self.o.ready | ~self.o.valid), self.i.ready.eq(move)]

        def register(value: Value, cycles: int = 1) -> Value:
            return delayed(m, value, cycles, enable=move)

        unpackers = [
            place(
                m,
                platform,
                f"fp32_unpacker_{n}",
                Fp32Unpacker(params),
                enable=move,
                i=self.i.payload.lane[n],
                top=window.top,
            )
            for n in lanes
        ]
        max_exponent = place(
            m,
            platform,
            "max_exponent",
            self._max_exponent,
            enable=move,
            depths=Cat(unpacker.depth for unpacker in unpackers),
            above=Cat(unpacker.above for unpacker in unpackers),
        )
        top_depth = Signal(params.top_depth)
        m.d.comb += top_depth.eq(~max_exponent.code - window.empty)

        quantizers = []
        for n, unpacker in enumerate(unpackers):
            known = {name: getattr(unpacker, name) for name in ("depth", "largest", "fraction", "sign")}
            random = {"random": self.random.word_select(n, params.random)} if params.stochastic else {}
            quantizers.append(
                place(
                    m,
                    platform,
                    f"mantissa_quantizer_{n}",
                    MantissaQuantizer(params),
                    enable=move,
                    top_depth=top_depth,
                    mask=window.mask,
                    **{name: register(value, max_exponent.latency) for name, value in known.items()},
                    **random,
                )
            )

        group = self.o.payload.group
        for lane, quantizer in zip(group.lane, quantizers, strict=True):
            m.d.comb += [lane.magnitude.eq(register(quantizer.magnitude)), lane.sign.eq(register(quantizer.negative))]
        count = Signal.like(self.saturated_elements)
        nonfinite = Signal()
        m.d.comb += [
            count.eq(sum((quantizer.saturated for quantizer in quantizers[1:]), quantizers[0].saturated)),
            nonfinite.eq(Cat(unpacker.nonfinite for unpacker in unpackers).any()),
            group.exponent.eq(register(max_exponent.code, MantissaQuantizer.latency + 1)),
            self.saturated_group.eq(register(max_exponent.exceeded, MantissaQuantizer.latency + 1)),
            self.saturated_elements.eq(register(count)),
        ]
        nonfinite = register(nonfinite, self.latency - Fp32Unpacker.latency - 1)
        m.d.comb += self.nonfinite_group.eq(register(nonfinite))

        valid, last = self._flow(m, move, self.i.valid)
        with m.If(move & valid[-2] & nonfinite):
            m.d.sync += self.nonfinite.eq(1)
        m.d.comb += [self.o.valid.eq(valid[-1]), self.o.payload.last.eq(last[-1])]
        if self.meter:
            self._measure(m, platform, move, valid, quantizers, register(max_exponent.code, MantissaQuantizer.shown))
        if params.stochastic:
            draw = Fp32Unpacker.latency + self._max_exponent.latency + MantissaQuantizer.draw
            m.d.comb += [self.step.eq(move & valid[draw]), self.row.eq(last[draw])]
        return m

    def _measure(
        self, m: Module, platform, move: Value, valid: list[Value], quantizers: list[MantissaQuantizer], code: Value
    ) -> None:
        """Connect the meter to the upper bits of each group's shifted significands."""
        assert self.meter
        params = self.params
        shown = [quantizer.shifted[params.dropped - params.chunk :] for quantizer in quantizers]
        there = Fp32Unpacker.latency + self._max_exponent.latency + MantissaQuantizer.shown
        inputs = {
            name: getattr(self, name)
            for name, port in self.meter.signature.members.items()
            if name in METERED and port.flow is In
        }
        meter = place(
            m,
            platform,
            "meter",
            self.meter,
            chunks=self.chunks,
            enable=move,
            take=valid[there],
            significands=Cat(shown),
            code=code,
            **inputs,
        )
        m.d.comb += [getattr(self, name).eq(getattr(meter, name)) for name in METERED if name not in inputs]

    def _flow(self, m: Module, move: Value, taken: Value) -> tuple[list[Value], list[Value]]:
        """Return, for each number of cycles, whether a group is present and whether it is the last of its row."""
        valid, last = [taken], [self.i.payload.last]
        for _ in range(self.latency):
            there = Signal(name="there")
            with m.If(move):
                m.d.sync += there.eq(valid[-1])
            valid.append(there)
            last.append(delayed(m, last[-1], enable=move))
        return valid, last
