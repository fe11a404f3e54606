"""Serial engine: an engine behind a UART."""

from amaranth.lib.wiring import In, Out

from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.interfaces.serial.beats import BeatPacker, BeatUnpacker
from lowtide.interfaces.serial.executor import Executor
from lowtide.interfaces.serial.frame_receiver import FrameReceiver
from lowtide.interfaces.serial.frame_sender import FrameSender
from lowtide.interfaces.serial.operand_queue import OperandQueue
from lowtide.interfaces.serial.params import SerialParams
from lowtide.interfaces.serial.result_queue import ResultQueue
from lowtide.interfaces.serial.self_test import SelfTest, SelfTestVectors
from lowtide.interfaces.serial.uart import UartReceiver, UartTransmitter
from lowtide.netlist import Structure
from lowtide.units.stream.fifo import Fifo
from lowtide.units.stream.skid_buffer import SkidBuffer

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
    test_over : Out(1)
        High after the self-test; only with one.
    test_passed : Out(1)
        High after the self-test if the answers match the check value; only with one.
    """

    def __init__(
        self, engine: EngineWithRegisters, params: SerialParams, digest: int, test: SelfTestVectors | None = None
    ):
        self.engine, self.params = engine, params
        self._executor = Executor(params, len(engine.registers.table), digest)
        self._test = SelfTest(test) if test else None
        self.module_name = f"serial_{self._executor.module_name}"
        results = {"test_over": Out(1), "test_passed": Out(1)} if test else {}
        super().__init__({"rx": In(1), "tx": Out(1, init=1), **results})

    def wire(self, place):
        params, executor, engine = self.params, self._executor, self.engine
        numbers, results = engine.engine.params.input_width, engine.engine.params.output_width
        line, received, frames = UartReceiver(), Fifo(8, RECEIVED * params.queue - 2), FrameReceiver()
        byte = SkidBuffer(8)
        sender, transmitter = FrameSender(), UartTransmitter()
        operands, kept = OperandQueue(params.queue), ResultQueue(params.queue)
        packers, unpacker = {side: BeatPacker(numbers) for side in "ab"}, BeatUnpacker(results)

        place("line", line, rx=self.rx, divisor=executor.divisor)
        if test := self._test:
            place(
                "self_test",
                test,
                i__payload=received.o_data,
                i__valid=received.o_valid,
                o__ready=byte.i.ready,
                words_i__payload=executor.o.payload,
                words_i__valid=executor.o.valid,
                words_o__ready=sender.i.ready,
                answer_i__payload=sender.o.payload,
                answer_i__valid=sender.o.valid,
                answer_o__ready=transmitter.i.ready,
            )
            requests, words, answers = ((o.payload, o.valid) for o in (test.o, test.words_o, test.answer_o))
            taken, heard, sent = (i.ready for i in (test.i, test.words_i, test.answer_i))
        else:
            requests = received.o_data, received.o_valid
            words, answers = ((o.payload, o.valid) for o in (executor.o, sender.o))
            taken, heard, sent = (i.ready for i in (byte.i, sender.i, transmitter.i))
        place("received", received, i_valid=line.valid, i_data=line.data, o_ready=taken)
        # A memory has a long read delay, and a flag drives long paths.
        place("taken", byte, i__payload=requests[0], i__valid=requests[1], o__ready=frames.i.ready)
        place("frames", frames, i__payload=byte.o.payload, i__valid=byte.o.valid, done=executor.done)
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
            o__ready=heard,
            sent=sender.idle,
            quiet=transmitter.idle,
        )
        place("sender", sender, i__payload=words[0], i__valid=words[1], o__ready=sent)
        place("transmitter", transmitter, i__payload=answers[0], i__valid=answers[1], divisor=executor.divisor)
        # Every new connection resets the following units.
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
            received=executor.received,
            forget=executor.forget_results,
            rst=begins,
        )
        return {"tx": transmitter.tx} | ({"test_over": test.over, "test_passed": test.passed} if test else {})
