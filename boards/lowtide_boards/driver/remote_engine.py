"""Engine of a device: its configuration, settings, operands and results."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import attrs
import numpy as np

from lowtide.config import Config, ConfigError, nearest
from lowtide.emission.serial import digest_of
from lowtide.emission.top import engine_of
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.engine.operand_format import INTEGER_KEYS, TERM_KEYS
from lowtide.engine.registers import ALL_ERRORS, IDENTITIES, Register, errors_text
from lowtide.formats.parameter import IllegalValue
from lowtide.formats.terms import ENCODINGS
from lowtide.interfaces.serial.protocol import WORDS, Kind
from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import DeviceError, NotLowtide
from lowtide_boards.driver.held_operands import HeldOperand, HeldOperands
from lowtide_boards.driver.request_window import Request
from lowtide_boards.driver.results import ResultReader
from lowtide_model import Improvement
from lowtide_model.engine.product import Events, Product
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.sums import CheckedPass, total_improvement
from lowtide_model.engine.transfer import Load

__all__ = ["RemoteEngine", "config_of"]

BUFFERS = ("engine.input_width", "engine.output_width", "engine.buffer_depth")

CONVERSION = ("engine.transpose_depth", "engine.random_bits", "engine.lfsr_bits", "engine.random_plateau")

KEYS = {
    "fmac": (
        *("bfp.lanes", "bfp.chunk_a", "bfp.chunk_b", "bfp.mantissa", "bfp.exponent", "bfp.max_k"),
        *(*BUFFERS, *CONVERSION, "engine.counter_bits", "engine.packed_operands"),
    ),
    "tmac": (*(f"terms.{key}" for key in TERM_KEYS), *BUFFERS, "engine.counter_bits"),
    "pmac": (*(f"terms.{key}" for key in INTEGER_KEYS), *BUFFERS, "engine.counter_bits"),
}
"""Keys of every configuration with an element, in the order of their registers, which follow the rows and columns."""

OPERANDS = {"fmac": "packed", "tmac": "integers", "pmac": "packed"}
"""Value of the key ``array.operands`` of an engine, by its element."""

DEFAULT = Config()

FEATURES = (
    ("engine.sum_rows", "engine.sum_columns", "engine.sum_max_k"),
    ("engine.post_operations",),
    ("engine.packed_results",),
    ("engine.column_scale",),
    ("engine.slots",),
)
"""Keys of each feature that an engine may have; the registers of those that it has follow, in this order."""


def config_of(connection: Connection) -> Config:
    """The configuration for which a device was generated.

    Raises
    ------
    NotLowtide
        If this version of lowtide generates another device from the configuration.
    """
    longest = [*KEYS["fmac"], *itertools.chain(*FEATURES)]
    identity, rows, columns, *values = connection.request("read", 0, 3 + len(longest))
    elements = [element for element, value in IDENTITIES.items() if value == identity]
    if not elements:
        expected = ", ".join(f"{value:#010x}" for value in IDENTITIES.values())
        raise NotLowtide(
            f"no lowtide engine at {connection.name}: expected an identity of {expected}, got {identity:#010x}"
        )
    element = elements[0]
    array = {
        "array.element": element,
        "array.operands": OPERANDS[element],
        "array.rows": rows,
        "array.columns": columns,
    }
    digest = connection.constants["digest"] | connection.constants["digest_high"] << 32
    # Without a feature, other registers follow the keys; the digest of the configuration tells.
    for has in itertools.product((True, False), repeat=len(FEATURES)):
        keys = [*KEYS[element], *itertools.chain(*itertools.compress(FEATURES, has))]
        try:
            known = {key: _value(key, value) for key, value in zip(keys, values, strict=False)}
            config = Config().changed({**array, **known})
        except ConfigError as error:
            cause = f"device at {connection.name} is from another version of lowtide: {error}"
            continue
        if digest == digest_of(config):
            return config
        cause = (
            f"device at {connection.name} is from another version of lowtide: expected digest {digest_of(config):016x},"
            f" got {digest:016x}"
        )
    raise NotLowtide(cause)


def _value(key: str, value: int) -> int | bool | str:
    """The value of a key from its register."""
    section, name = key.split(".")
    default = getattr(getattr(DEFAULT, section), name)
    if isinstance(default, str):
        return ENCODINGS[min(value, len(ENCODINGS) - 1)]
    return bool(value) if isinstance(default, bool) else value


LOAD_A, LOAD_B, ADD, KEEP = 1, 2, 8, 16
"""Bits of the register ``start``: load A; load B; add the sums on chip; keep the sums on chip."""

LOAD: dict[str, Kind] = {"a": "load_a", "b": "load_b", "d": "load_d"}
LAST: dict[str, Kind] = {"a": "last_a", "b": "last_b", "d": "last_d"}

IDLE = 2
"""Bit of the register ``status``: no product is in the engine."""

POSITIONS = 1 << 16


class RemoteEngine:
    """The engine of a connected device.

    Parameters
    ----------
    connection : Connection

    Attributes
    ----------
    config : Config
        Configuration of the engine, read from its registers.
    registers : list of Register
        Registers of the engine.

    Raises
    ------
    NotLowtide
        If the engine is from another version of lowtide.
    """

    def __init__(self, connection: Connection):
        self.connection, self.config = connection, config_of(connection)
        self.registers = EngineWithRegisters(engine_of(self.config)).registers.table
        self._places = {register.name: place for place, register in enumerate(self.registers)}
        self._resets = 0
        self._written: dict[str, int] = {}  # settings since the last reset
        self._held = HeldOperands(self.config.engine.slots)
        self._position = 0

    def _synchronize(self) -> None:
        """Connect again if necessary, and forget what the engine had before the last reset."""
        self.connection.synchronize()
        if self._resets != self.connection.resets:
            self._resets, self._written, self._position = self.connection.resets, {}, 0
            self._held.forget()

    def read(self, name: str) -> int:
        """Read a register.

        Raises
        ------
        IllegalValue
            If there is no register of this name.
        """
        register = self._register(name)
        return register.number(self.connection.request("read", self._places[name], 1)[0])

    def write(self, name: str, value: int) -> None:
        """Write a register.

        Raises
        ------
        IllegalValue
            If there is no register of this name, the register is read-only, or the value is illegal.
        """
        value = self._register(name).checked(value)
        self._synchronize()
        self._held.forget()
        self.connection.execute([self._write(name, value)])

    def _register(self, name: str) -> Register:
        if name not in self._places:
            raise IllegalValue("the register", f"one of the engine's{nearest(str(name), self._places)}", name)
        return self.registers[self._places[name]]

    def _write(self, name: str, value: int) -> Request:
        self._written[name] = value
        return Request("write", (self._places[name], value & 0xFFFFFFFF))

    def product(self, passes: Sequence[CheckedPass], plan: ResultPlan, progress: Callable[[float], object]) -> Product:
        """Compute a product that fits into the engine, or a sum of products.

        The driver sends an operand only if the engine holds no operand with equal words and settings.

        Parameters
        ----------
        passes : sequence of CheckedPass
            Passes of the sum, with biases; one pass for a product.
        plan : ResultPlan
            What follows the product.
        progress : callable
            Called with the fraction of all words that the driver has sent or received.

        Raises
        ------
        DeviceError
            If the connection is lost, or the engine flags an error.
        """
        self._synchronize()
        queue, numbers = self.connection.constants["queue"], self.config.engine.input_width
        settings = [
            [line.settings(of) for line, of in zip(each.vectors, each.settings, strict=True)] for each in passes
        ]
        loads = [
            [Load.of(vectors.in_memory_order, numbers).numbers.view("<u4").ravel() for vectors in each.vectors]
            for each in passes
        ]
        operands = [
            [self._held.next(*operand) for operand in zip("ab", *both, strict=True)]
            for both in zip(loads, settings, strict=True)
        ]
        addends = plan.addends.numbers.view("<u4").ravel() if plan.addends else np.zeros(0, "<u4")
        count = plan.beats * self.config.engine.output_width
        to_send = sum(len(held.words) for both in operands for held, new in both if new)
        total, moved = to_send + len(addends) + count, [0]

        def move(words: int) -> None:
            moved[0] += words
            progress(moved[0] / total)

        results = ResultReader(self._position, count, queue, move)
        first, last = self._places["errors"], self._places["underflows"]
        values: list[dict[str, int]] = []  # counters and improvements after each pass

        def counts(words: tuple[int, ...]) -> None:
            values.append(dict(zip(list(self._places)[first : last + 1], words, strict=True)))
            _check(values[-1]["errors"])

        def requests() -> Iterator[Request | None]:
            yield self._write("errors", ALL_ERRORS)
            yield self._write("clear", 1)
            for each, both in zip(passes, operands, strict=True):
                for side, (held, _) in zip("ab", both, strict=True):
                    slot = {"slot": held.slot} if self.config.engine.slots else {}
                    for name, value in {**held.settings, **slot}.items():
                        if self._written.get(f"{side}_{name}") != value:
                            yield self._write(f"{side}_{name}", value)
                for name, value in (each.reveal | plan.registers).items():
                    if self._written.get(name) != value:
                        yield self._write(name, value)
                (a, new_a), (b, new_b) = both
                yield self._write("start", LOAD_A * new_a | LOAD_B * new_b | ADD * each.add | KEEP * each.keep)
                for side, held, new in (("a", a, new_a), ("b", b, new_b)):
                    if new:
                        yield from _loads(side, held.words, min(WORDS, queue // 2), move)
                if each.keep:
                    yield from self._until_idle()
                    yield Request("read", (first, last - first + 1), counts)
            sends, sent = _loads("d", addends, min(WORDS, queue // 2), move), 0
            for request in results.requests():
                # The engine accepts an addend with its result, so the addends may precede the results by a queue only.
                while sent < len(addends) and (sent < results.received + queue // 2 or results.empty):
                    load = next(sends)
                    sent, results.empty = sent + len(load.words), False
                    yield load
                yield request
                if results.empty:  # the engine still computes, unless it refused the product
                    yield Request("read", (first, 1), lambda errors: _check(errors[0]))
            yield Request("read", (first, last - first + 1), counts)

        try:
            self.connection.execute(requests())
        except BaseException:
            self._held.forget()
            raise
        self._position = (self._position + count) % POSITIONS
        (_, new_a), (_, new_b) = operands[-1]
        product, tensor = plan.product(results.words.view("<f4").reshape(plan.beats, -1), new_a, new_b)
        return Product(
            values=product,
            tensor=tensor,
            events=_account(operands, values),
            a_improvement=total_improvement([held.improvement for (held, _), _ in operands]),
            b_improvement=total_improvement([held.improvement for _, (held, _) in operands]),
            cycles=values[-1]["cycles"],
        )

    def _until_idle(self) -> Iterator[Request | None]:
        """Requests until no product is in the engine."""
        answers: list[int] = []

        def answered(words: tuple[int, ...]) -> None:
            answers.append(words[0])
            _check(words[1])

        polls = 0
        while not (answers and answers[-1] & IDLE):
            if polls > len(answers):
                yield None
                continue
            polls += 1
            yield Request("read", (self._places["status"], 2), answered)


def _check(errors: int) -> None:
    """Raise an error in an exchange: the driver then connects again, which clears the flags."""
    if errors:
        raise DeviceError(f"the engine flags errors: {errors_text(errors)}")


def _loads(side: str, words: np.ndarray, most: int, move: Callable[[int], None]) -> Iterator[Request]:
    """Requests that load an operand or addends, with ``most`` words or fewer per request."""
    for at in range(0, len(words), most):
        part = words[at : at + most]
        ends = at + most >= len(words)
        yield Request(LAST[side] if ends else LOAD[side], part)
        move(len(part))


def _account(operands: list[list[tuple[HeldOperand, bool]]], values: list[dict[str, int]]) -> Events:
    """Events of a product; an operand that the engine holds has the events from when it was sent.

    Parameters
    ----------
    operands : list of pairs of operands
        Operands of each pass, and whether they were sent. Sent operands get their events and improvement.
    values : list of dict
        Counters after each pass, and improvements of its operands.
    """
    names = [field.name for field in attrs.fields(Events) if field.name in values[-1]]
    events = {name: values[-1][name] for name in names if name[:2] not in ("a_", "b_")}
    before = dict.fromkeys(names, 0)
    for both, after in zip(operands, values, strict=True):
        for side, (held, new) in zip("ab", both, strict=True):
            counts = [name for name in names if name.startswith(f"{side}_")]
            if new:
                held.events = {name: after[name] - before[name] for name in counts}
                held.improvement = _improvement(side, after)
            for name in counts:
                events[name] = events.get(name, 0) + held.events[name]
        before = after
    return Events(**events)


def _improvement(side: str, values: dict[str, int]) -> Improvement | None:
    if f"{side}_low_sum" not in values:
        return None
    low_sum, high_sum = (
        values[f"{side}_{name}"] + (values.get(f"{side}_{name}_hi", 0) << 32) for name in ("low_sum", "high_sum")
    )
    return Improvement(low_sum, high_sum)
