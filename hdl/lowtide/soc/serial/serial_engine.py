"""The engine at the end of a serial line."""

from amaranth.lib.wiring import In, Out

from lowtide.array.queue import Queue
from lowtide.engine.controlled import ControlledEngine
from lowtide.hierarchy import Structure
from lowtide.soc.serial.beats import BeatPacker, BeatUnpacker
from lowtide.soc.serial.executor import Executor
from lowtide.soc.serial.frame_receiver import FrameReceiver
from lowtide.soc.serial.frame_sender import FrameSender
from lowtide.soc.serial.operand_queue import OperandQueue
from lowtide.soc.serial.result_queue import ResultQueue
from lowtide.soc.serial.shape import SerialShape
from lowtide.soc.serial.uart import UartReceiver, UartTransmitter

__all__ = ["SerialEngine"]

RECEIVED = 4
"""Bytes that may wait while an answer is sent, for each word of a queue: about as many as an answer has."""


class SerialEngine(Structure):
    """A `ControlledEngine` that is worked by frames over a UART.

    Parameters
    ----------
    engine : ControlledEngine
        The engine.
    shape : SerialShape
        The line.
    digest : int
        64 bits by which a host knows the configuration.

    Members
    -------
    rx, tx : In(1), Out(1)
        The line.
    """

    def __init__(self, engine: ControlledEngine, shape: SerialShape, digest: int):
        self.engine, self.shape = engine, shape
        self._executor = Executor(shape, len(engine.registers.table), digest)
        self.module_name = f"serial_{self._executor.module_name}"
        super().__init__({"rx": In(1), "tx": Out(1, init=1)})

    def wire(self, place):
        shape, executor, engine = self.shape, self._executor, self.engine
        numbers, results = engine.engine.shape.numbers, engine.engine.shape.results
        line, received, frames = UartReceiver(), Queue(8, RECEIVED * shape.queue - 2), FrameReceiver()
        sender, transmitter = FrameSender(), UartTransmitter()
        operands, kept = OperandQueue(shape.queue), ResultQueue(shape.queue)
        packers, unpacker = {side: BeatPacker(numbers) for side in "ab"}, BeatUnpacker(results)

        place("line", line, rx=self.rx, divisor=executor.divisor)
        place("received", received, i_valid=line.valid, i_data=line.data, o_ready=frames.i.ready)
        place("frames", frames, i__payload=received.o_data, i__valid=received.o_valid, done=executor.done)
        place(
            "executor",
            executor,
            **{name: getattr(frames, name) for name in ("header", "word", "valid", "good")},
            **{name: getattr(operands, name) for name in ("over", "room")},
            **{name: getattr(kept, name) for name in ("oldest", "legal", "held")},
            bad=frames.bad,
            last=frames.last,
            result=kept.word,
            read_data=engine.read_data,
            o__ready=sender.i.ready,
            sent=sender.idle,
            quiet=transmitter.idle,
        )
        place("sender", sender, i__payload=executor.o.payload, i__valid=executor.o.valid, o__ready=transmitter.i.ready)
        place(
            "transmitter",
            transmitter,
            i__payload=sender.o.payload,
            i__valid=sender.o.valid,
            divisor=executor.divisor,
        )
        # All that follows is reset with each connection.
        begins = executor.reset
        place(
            "operands",
            operands,
            i=executor.operand,
            **{name: getattr(executor, name) for name in ("write_operand", "keep", "forget")},
            **{f"{side}__ready": packer.i.ready for side, packer in packers.items()},
            rst=begins,
        )
        for side, packer in packers.items():
            numbers = getattr(operands, side)
            ready = getattr(engine, side).ready
            place(
                f"pack_{side}", packer, i__payload=numbers.payload, i__valid=numbers.valid, o__ready=ready, rst=begins
            )
        beats = {side: packer.o for side, packer in packers.items()}
        place(
            "engine",
            engine,
            **{f"{side}__payload": beat.payload for side, beat in beats.items()},
            **{f"{side}__valid": beat.valid for side, beat in beats.items()},
            c__ready=unpacker.i.ready,
            **{name: getattr(executor, name) for name in ("address", "write", "write_data")},
            rst=begins,
        )
        place(
            "unpack",
            unpacker,
            i__payload=engine.c.payload,
            i__valid=engine.c.valid,
            o__ready=kept.i.ready,
            rst=begins,
        )
        place(
            "results",
            kept,
            i__payload=unpacker.o.payload,
            i__valid=unpacker.o.valid,
            position=executor.position,
            came=executor.came,
            forget=executor.forget_results,
            rst=begins,
        )
        return {"tx": transmitter.tx}
