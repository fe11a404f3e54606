"""AXI4-Stream wrapper: streams with AXI4-Stream port names, data in whole bytes."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Structure

__all__ = ["AxiStreams"]


class AxiStreams(Structure):
    """AXI4-Stream wrapper: turns the streams of a structure into AXI4-Streams, and keeps its other ports.

    An input stream ``x`` becomes ``s_axis_x_tdata``, ``_tvalid``, ``_tready`` and, if its payload has ``last``,
    ``_tlast``. The ports of an output stream begin with ``m_axis``. Data occupy whole bytes: padding bits are ignored
    on inputs and zero on outputs.

    Parameters
    ----------
    inner : Structure
        Structure to wrap.
    place : str
        Name of its instance.
    name : str
        Name of the module.
    buses : sequence of str
        Prefixes of further AXI interfaces among its other ports.

    Attributes
    ----------
    tdata_bits : dict of str to int
        Width of ``tdata`` in bits, by stream.
    """

    def __init__(self, inner: Structure, place: str, name: str, buses: Sequence[str] = ()):
        self.inner, self._place, self.module_name, self._buses = inner, place, name, buses
        members = inner.signature.members
        self._streams = [name for name, member in members.items() if member.is_signature]
        self._beside = {name: member.flow for name, member in members.items() if member.is_port}
        self.tdata_bits = {name: -(-len(self._parts(name)[0]) // 8) * 8 for name in self._streams}
        ports = {name: members[name] for name in self._beside}
        for name in self._streams:
            inward, outward = (In, Out) if members[name].flow is In else (Out, In)
            last = self._parts(name)[1]
            ports |= {f"{self._prefix(name)}_tdata": inward(self.tdata_bits[name])}
            ports |= {f"{self._prefix(name)}_tlast": inward(1)} if len(last) else {}
            ports |= {f"{self._prefix(name)}_tvalid": inward(1), f"{self._prefix(name)}_tready": outward(1)}
        super().__init__(ports)

    def wire(self, place):
        inputs = {name: getattr(self, name) for name, flow in self._beside.items() if flow is In}
        for name in self._streams:
            if self._into(name):
                data, last = self._parts(name)
                tlast = [self._port(name, "tlast")] if len(last) else []
                inputs[f"{name}__payload"] = Cat(self._port(name, "tdata")[: len(data)], *tlast)
                inputs[f"{name}__valid"] = self._port(name, "tvalid")
            else:
                inputs[f"{name}__ready"] = self._port(name, "tready")
        inner = place(self._place, self.inner, **inputs)
        outputs = {name: getattr(inner, name) for name, flow in self._beside.items() if flow is Out}
        for name in self._streams:
            prefix, beats = self._prefix(name), getattr(inner, name)
            if self._into(name):
                outputs[f"{prefix}_tready"] = beats.ready
            else:
                data, last = self._parts(name)
                unused = len(self._port(name, "tdata")) - len(data)
                outputs |= {
                    f"{prefix}_tdata": Cat(data, Const(0, unused)),
                    f"{prefix}_tlast": last,
                    f"{prefix}_tvalid": beats.valid,
                }
        return outputs

    def attributes(self):
        """Vivado attributes of the clock and reset: the interfaces and the reset that belong to the clock."""
        interfaces = ":".join([*map(self._prefix, self._streams), *self._buses])
        return {
            "clk": {
                "X_INTERFACE_INFO": "xilinx.com:signal:clock:1.0 clk CLK",
                "X_INTERFACE_PARAMETER": f"ASSOCIATED_BUSIF {interfaces}, ASSOCIATED_RESET rst",
            },
            "rst": {
                "X_INTERFACE_INFO": "xilinx.com:signal:reset:1.0 rst RST",
                "X_INTERFACE_PARAMETER": "POLARITY ACTIVE_HIGH",
            },
        }

    def _into(self, name: str) -> bool:
        return self.inner.signature.members[name].flow is In

    def _prefix(self, name: str) -> str:
        return f"{'s' if self._into(name) else 'm'}_axis_{name}"

    def _port(self, name: str, part: str):
        return getattr(self, f"{self._prefix(name)}_{part}")

    def _parts(self, name: str):
        """Return the data of a stream and its ``last`` bit, if it has one, which is then the highest bit."""
        payload = getattr(self.inner, name).payload
        bits = payload.as_value()
        ends = int("last" in payload.shape().members)
        return bits[: len(bits) - ends], bits[len(bits) - ends :]
