"""Serial engine: an engine behind a UART."""

from amaranth.lib.wiring import In, Out

from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.interfaces.serial.beats import BeatPacker, BeatUnpacker
from lowtide.interfaces.serial.executor import Executor
from lowtide.interfaces.serial.frames import FrameReceiver, FrameSender
from lowtide.interfaces.serial.params import SerialParams
from lowtide.interfaces.serial.queues import OperandQueue, ResultQueue
from lowtide.interfaces.serial.self_test import SelfTest, SelfTestVectors
from lowtide.interfaces.serial.uart import UartReceiver, UartTransmitter
from lowtide.netlist import Structure
from lowtide.units.stream.buffers import Fifo, SkidBuffer

__all__ = ["SerialEngine"]

RECEIVED = 4
"""Received bytes that fit per word of a queue while an answer is sent: about as many as an answer has."""


class SerialEngine(Structure):
    """Serial engine: an `EngineWithRegisters` that a host controls by frames over a UART.

    Parameters
    ----------
    engine : EngineWithRegisters
        The engine.
    params : SerialParams
        Clock, baud rate and queues.
    digest : int
        64 bits that identify the configuration to a host.
    test : SelfTestVectors, optional
        Self-test after reset, before the engine listens to the host.

    Members
    -------
    rx : In(1)
        Serial input, asynchronous.
    tx : Out(1)
        Serial output.
    test_done : Out(1)
        High after the self-test; only with one.
    test_passed : Out(1)
        High after the self-test if the answers match the check value; only with one.
    """

    def __init__(
        self, engine: EngineWithRegisters, params: SerialParams, digest: int, test: SelfTestVectors | None = None
    ):
        self.engine, self.params = engine, params
        self._addends = engine.engine.params.takes_addends
        self._executor = Executor(params, len(engine.registers.table), digest, self._addends)
        self._test = SelfTest(test) if test else None
        self.module_name = f"serial_{self._executor.module_name}"
        results = {"test_done": Out(1), "test_passed": Out(1)} if test else {}
        super().__init__({"rx": In(1), "tx": Out(1, init=1), **results})

    def wire(self, place):
        params, executor, engine = self.params, self._executor, self.engine
        input_width, output_width = engine.engine.params.input_width, engine.engine.params.output_width
        line, received, frames = UartReceiver(), Fifo(8, RECEIVED * params.queue - 2), FrameReceiver()
        byte = SkidBuffer(8)
        sender, transmitter = FrameSender(), UartTransmitter()
        operands, results = OperandQueue(params.queue, self._addends), ResultQueue(params.queue)
        packers, unpacker = {side: BeatPacker(input_width) for side in "ab"}, BeatUnpacker(output_width)
        if self._addends:
            packers["d"] = BeatPacker(output_width)

        place("line", line, rx=self.rx, baud_divisor=executor.baud_divisor)
        if test := self._test:
            place(
                "self_test",
                test,
                i__payload=received.o_data,
                i__valid=received.o_valid,
                o=byte.i,
                words_i=executor.o,
                words_o=sender.i,
                answer_i=sender.o,
                answer_o=transmitter.i,
            )
            received_ready, words_to, answers_to = test.i.ready, test.words_i, test.answer_i
            requests, words, answers = {"i": test.o}, test.words_o, test.answer_o
        else:
            received_ready, words_to, answers_to = byte.i.ready, sender.i, transmitter.i
            requests = {"i__payload": received.o_data, "i__valid": received.o_valid}
            words, answers = executor.o, sender.o
        place("received", received, i_valid=line.valid, i_data=line.data, o_ready=received_ready)
        # A memory has a long read delay, and a flag drives long paths.
        place("taken", byte, **requests, o=frames.i)
        place("frames", frames, i=byte.o, done=executor.done)
        place(
            "executor",
            executor,
            **{name: getattr(frames, name) for name in ("header", "word", "valid", "last", "frame_ok", "frame_error")},
            **{name: getattr(operands, name) for name in ("overflow", "free")},
            **{name: getattr(results, name) for name in ("oldest", "legal", "available")},
            result=results.word,
            read_data=engine.read_data,
            o=words_to,
            sender_idle=sender.idle,
            transmitter_idle=transmitter.idle,
        )
        place("sender", sender, i=words, o=answers_to)
        place("transmitter", transmitter, i=answers, baud_divisor=executor.baud_divisor)
        # Every new connection resets the following units.
        reset = executor.reset
        place(
            "operands",
            operands,
            i=executor.operand,
            **{name: getattr(executor, name) for name in ("write_operand", "commit", "discard")},
            **{side: packer.i for side, packer in packers.items()},
            rst=reset,
        )
        for side, packer in packers.items():
            place(f"pack_{side}", packer, i=getattr(operands, side), o=getattr(engine, side), rst=reset)
        place(
            "engine",
            engine,
            **{side: packer.o for side, packer in packers.items()},
            c=unpacker.i,
            **{name: getattr(executor, name) for name in ("address", "write", "write_data")},
            rst=reset,
        )
        place("unpack", unpacker, i=engine.c, o=results.i, rst=reset)
        place(
            "results",
            results,
            i=unpacker.o,
            position=executor.position,
            received=executor.received,
            discard=executor.discard_results,
            rst=reset,
        )
        return {"tx": transmitter.tx} | ({"test_done": test.done, "test_passed": test.passed} if test else {})
