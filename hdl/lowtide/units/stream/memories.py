"""Memories of any number of words."""

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib.memory import Memory, ReadPort, WritePort

__all__ = ["memory_ports"]


def memory_ports(m: Module, name: str, shape: ShapeLike, depth: int) -> tuple:
    """Add a memory, and return its write port and its synchronous read port.

    A memory of one word is a register: the address of a port is constant, and synthesis tools warn of such memories.
    Both read the earlier word in the cycle of a write.
    """
    if depth > 1:
        m.submodules[name] = memory = Memory(shape=shape, depth=depth, init=[])
        return memory.write_port(), memory.read_port()
    word = Signal(shape, name=name, reset_less=True)
    write = WritePort.Signature(addr_width=0, shape=shape).create(path=(f"{name}_write",))
    read = ReadPort.Signature(addr_width=0, shape=shape).create(path=(f"{name}_read",))
    with m.If(write.en):
        m.d.sync += word.eq(write.data)
    with m.If(read.en):
        m.d.sync += read.data.eq(word)
    return write, read
