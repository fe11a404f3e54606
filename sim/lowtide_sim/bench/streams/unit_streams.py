"""Streams of single units: one payload with valid and ready, optionally with settings on separate ports."""

from collections.abc import Sequence
from typing import Any

from cocotb.types import Logic, LogicArray

from lowtide_sim.bench.streams.axi_stream import Stream

__all__ = ["Low", "PayloadStream", "SettingStream"]


class PayloadStream(Stream):
    """Signals of the stream ``name``; ``last`` is always low.

    Parameters
    ----------
    dut : cocotb handle
        The unit.
    name : str
        Name of the stream.
    """

    def __init__(self, dut: Any, name: str):
        self.clk, self.rst = dut.clk, dut.rst
        self.data, self.valid, self.ready = (getattr(dut, f"{name}__{part}") for part in ("payload", "valid", "ready"))
        self.last = Low()


class Low:
    """A signal that is always low."""

    @property
    def value(self) -> Logic:
        return Logic(0)

    @value.setter
    def value(self, _value: bool) -> None:
        pass


class SettingStream(PayloadStream):
    """Signals of the stream ``name`` and of settings ports, which are above the payload in each word, in order.

    Parameters
    ----------
    dut : cocotb handle
        The unit.
    name : str
        Name of the stream.
    ports : sequence of str
        Names of the ports.
    """

    def __init__(self, dut: Any, name: str, ports: Sequence[str]):
        super().__init__(dut, name)
        self.payload = self.data
        self.settings = [getattr(dut, port) for port in ports]
        self.data = _Joined([self.data, *self.settings])


class _Joined:
    """Several signals as one, the first in the lowest bits."""

    def __init__(self, signals: Sequence[Any]):
        self.signals, self._name = signals, signals[0]._name

    def __len__(self) -> int:
        return sum(map(len, self.signals))

    @property
    def value(self) -> LogicArray:
        return LogicArray("".join(str(signal.value) for signal in reversed(self.signals)))

    @value.setter
    def value(self, word: int) -> None:
        for signal in self.signals:
            signal.value = word & (1 << len(signal)) - 1
            word >>= len(signal)
