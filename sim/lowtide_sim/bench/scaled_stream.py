"""A stream whose words go with an exponent on a port of its own."""

from typing import Any

from cocotb.types import LogicArray

from lowtide_sim.bench.payload_stream import PayloadStream

__all__ = ["SCALE", "ScaledStream"]

SCALE = 10  # bits of the exponent


class ScaledStream(PayloadStream):
    """The signals of a stream ``name`` and of the port ``scale``, which is above the payload in each word.

    Parameters
    ----------
    dut : cocotb handle
        The unit.
    name : str
        Name of the stream.
    """

    def __init__(self, dut: Any, name: str):
        super().__init__(dut, name)
        self.data = _Joined(self.data, dut.scale)


class _Joined:
    """Two signals as one."""

    def __init__(self, low: Any, high: Any):
        self.low, self.high, self._name = low, high, low._name

    def __len__(self) -> int:
        return len(self.low) + len(self.high)

    @property
    def value(self) -> LogicArray:
        return LogicArray(str(self.high.value) + str(self.low.value))

    @value.setter
    def value(self, word: int) -> None:
        self.low.value = word & (1 << len(self.low)) - 1
        self.high.value = LogicArray(word >> len(self.low), len(self.high))
