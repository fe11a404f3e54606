"""A stream whose words go with settings on ports of their own."""

from collections.abc import Sequence
from typing import Any

from cocotb.types import LogicArray

from lowtide_sim.bench.streams.payload_stream import PayloadStream

__all__ = ["SettingStream"]


class SettingStream(PayloadStream):
    """The signals of a stream ``name`` and of ports, which are above the payload in each word, the first the lowest.

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
    """Some signals as one."""

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
