"""The array as a Verilog user expects it: AXI4-Stream port names, data in whole bytes."""

from amaranth.hdl import Cat, Const
from amaranth.lib.wiring import In, Out

from lowtide.array.kinds import array_of
from lowtide.config import Config
from lowtide.hierarchy import Structure

__all__ = ["AxiStreamArray"]


class AxiStreamArray(Structure):
    """The array of a configuration behind AXI4-Stream ports.

    Parameters
    ----------
    config : Config
        What to build.
    name : str
        Name of the module.

    Members
    -------
    s_axis_a_tdata, s_axis_a_tlast, s_axis_a_tvalid, s_axis_a_tready : In, In, In, Out
        Stream of A. A word for each row, row 0 in the lowest bits; unused bits up to a whole
        byte are ignored.
    s_axis_b_tdata, … : In, In, In, Out
        Stream of B, likewise, a word for each column.
    m_axis_c_tdata, m_axis_c_tlast, m_axis_c_tvalid, m_axis_c_tready : Out, Out, Out, In
        Stream of results. A signed word of an accumulator's bits for each column, column 0 in the lowest bits;
        unused bits are zero. Or, of a `RequantisedArray`, a signed integer for each lane.
    s_axis_requantise_tdata, s_axis_requantise_tvalid, s_axis_requantise_tready : In, In, Out
        Of a `RequantisedArray` alone: its stream of settings, a word for each tile.
    misaligned : Out(1)
        ``tlast`` came on A or B alone.
    settings, settings_write, settings_refused : In, In(1), Out(1)
        As those of `TermArray`; there alone.
    saturations, saturations_clear : Out, In(1)
        As those of `RequantisedArray`; there alone.
    """

    def __init__(self, config: Config, name: str = "lowtide_array"):
        self.config, self.module_name = config, name
        self.array = array_of(config.array, config.bfp, config.terms, config.requantiser)
        members = self.array.signature.members
        self._streams = [name for name, member in members.items() if member.is_signature]
        self._beside = {name: member.flow for name, member in members.items() if member.is_port}
        ports = {name: members[name] for name in self._beside}
        for name in self._streams:
            inward, outward = (In, Out) if members[name].flow is In else (Out, In)
            data, last = self._parts(name)
            ports |= {f"{self._prefix(name)}_tdata": inward(-(-len(data) // 8) * 8)}
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
        array = place("array", self.array, **inputs)
        outputs = {name: getattr(array, name) for name, flow in self._beside.items() if flow is Out}
        for name in self._streams:
            prefix, beats = self._prefix(name), getattr(array, name)
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

    def _into(self, name: str) -> bool:
        return self.array.signature.members[name].flow is In

    def _prefix(self, name: str) -> str:
        return f"{'s' if self._into(name) else 'm'}_axis_{name}"

    def _port(self, name: str, part: str):
        return getattr(self, f"{self._prefix(name)}_{part}")

    def _parts(self, name: str):
        """Data of a stream of the array, and what tells that a tile ends, if it has that."""
        payload = getattr(self.array, name).payload
        beat = "last" in payload.shape().members
        return (payload.data, payload.last) if beat else (payload.as_value(), Const(0, 0))
