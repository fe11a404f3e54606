"""A stream as units have it: one payload, with valid and ready, and no ``tlast`` beside it."""

from typing import Any

from cocotb.types import Logic

from lowtide_sim.bench.streams.axi_stream import Stream

__all__ = ["Low", "PayloadStream"]


class PayloadStream(Stream):
    """The signals of a stream ``name``; whatever ``last`` is set to, it stays low.

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
    """A signal that nothing can raise."""

    @property
    def value(self) -> Logic:
        return Logic(0)

    @value.setter
    def value(self, _value: bool) -> None:
        pass
