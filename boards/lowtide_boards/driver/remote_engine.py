"""The engine at the other end of a link: its registers, and one product at a time."""

from collections.abc import Callable, Iterator

import attrs
import numpy as np

from lowtide.config import nearest
from lowtide.emission.top import engine_of
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.engine.registers import ALL_ERRORS, Register, errors_text
from lowtide.formats.parameter import IllegalValue
from lowtide.interfaces.serial.protocol import WORDS
from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import DeviceError
from lowtide_boards.driver.identify import config_of
from lowtide_boards.driver.request import Request
from lowtide_boards.driver.results import ResultReader
from lowtide_model import Improvement
from lowtide_model.engine.operand import Operand
from lowtide_model.engine.product import Events, OperandVectors, Product
from lowtide_model.engine.results import matrix_of, result_beats
from lowtide_model.engine.transfer import Load

__all__ = ["RemoteEngine"]

LOAD_BOTH = 3
"""Bits of the register ``start``."""

POSITIONS = 1 << 16


class RemoteEngine:
    """An engine, over a link that is connected.

    Parameters
    ----------
    link : Link

    Attributes
    ----------
    config : Config
        What it was generated for, as it says itself.
    table : list of Register
        Its registers.

    Raises
    ------
    NotLowtide
        If it is of another version.
    """

    def __init__(self, link: Connection):
        self.link, self.config = link, config_of(link)
        self.table = EngineWithRegisters(engine_of(self.config)).registers.table
        self._places = {register.name: place for place, register in enumerate(self.table)}
        self._beginning = 0
        self._written: dict[str, int] = {}
        self._position = 0

    def _begin(self) -> None:
        """Forget what it was told before the link was connected the last time."""
        self.link.mend()
        if self._beginning != self.link.beginnings:
            self._beginning, self._written, self._position = self.link.beginnings, {}, 0

    def read(self, name: str) -> int:
        """A register.

        Raises
        ------
        IllegalValue
            If there is no such register.
        """
        register = self._register(name)
        return register.number(self.link.one("read", self._places[name], 1)[0])

    def write(self, name: str, value: int) -> None:
        """Write a register.

        Raises
        ------
        IllegalValue
            If there is no such register, it cannot be written, or it does not take the value.
        """
        value = self._register(name).checked(value)
        self._begin()
        self.link.ask([self._write(name, value)])

    def _register(self, name: str) -> Register:
        if name not in self._places:
            raise IllegalValue("the register", f"one of the engine's{nearest(str(name), self._places)}", name)
        return self.table[self._places[name]]

    def _write(self, name: str, value: int) -> Request:
        self._written[name] = value
        return Request("write", (self._places[name], value & 0xFFFFFFFF))

    def product(
        self,
        lines: tuple[OperandVectors, OperandVectors],
        operands: tuple[Operand, Operand],
        shape: tuple[int, int],
        progress: Callable[[float], object],
    ) -> Product:
        """A product that fits into the engine.

        Parameters
        ----------
        lines : pair of OperandVectors
            A and B.
        operands : pair of Operand
            With biases.
        shape : pair of int
            Rows and columns of the result.
        progress : callable
            Called with the share of all words that have been sent or have come.

        Raises
        ------
        DeviceError
            If the link is lost, or the engine flags an error.
        """
        self._begin()
        queue, numbers = self.link.constants["queue"], self.config.engine.input_width
        loads = [Load.of(line.in_memory_order, numbers).numbers.view("<u4").ravel() for line in lines]
        count = result_beats(self.config, *shape) * self.config.engine.output_width
        whole, moved = sum(map(len, loads)) + count, [0]

        def move(words: int) -> None:
            moved[0] += words
            progress(moved[0] / whole)

        results = ResultReader(self._position, count, queue, move)
        first, last = self._places["errors"], self._places["underflows"]
        values: dict[str, int] = {}

        def counts(words: tuple[int, ...]) -> None:
            values.update(zip(list(self._places)[first : last + 1], words, strict=True))
            _check(values["errors"])

        def asks() -> Iterator[Request | None]:
            for side, line, operand in zip("ab", lines, operands, strict=True):
                for name, value in line.settings(operand).items():
                    if self._written.get(f"{side}_{name}") != value:
                        yield self._write(f"{side}_{name}", value)
            yield self._write("errors", ALL_ERRORS)
            yield self._write("clear", 1)
            yield self._write("start", LOAD_BOTH)
            for side, words in zip("ab", loads, strict=True):
                yield from _loads(side, words, min(WORDS, queue // 2), move)
            for ask in results.asks():
                yield ask
                if results.none_came:  # it works on them, unless it refused the product
                    yield Request("read", (first, 1), lambda errors: _check(errors[0]))
            yield Request("read", (first, last - first + 1), counts)

        self.link.ask(asks())
        self._position = (self._position + count) % POSITIONS
        return Product(
            values=matrix_of(self.config, results.words.view("<f4"), *shape),
            events=Events(**{field.name: values[field.name] for field in attrs.fields(Events)}),
            a_improvement=_ratio("a", values),
            b_improvement=_ratio("b", values),
            cycles=values["cycles"],
        )


def _check(errors: int) -> None:
    """Complain in the middle of an exchange: then the link begins again, and flags are low."""
    if errors:
        raise DeviceError(f"the engine flags errors: {errors_text(errors)}")


def _loads(side: str, words: np.ndarray, most: int, move: Callable[[int], None]) -> Iterator[Request]:
    """An operand, in parts of so many words at most."""
    for at in range(0, len(words), most):
        part = words[at : at + most]
        ends = at + most >= len(words)
        if side == "a":
            yield Request("last_a" if ends else "load_a", part)
        else:
            yield Request("last_b" if ends else "load_b", part)
        move(len(part))


def _ratio(side: str, values: dict[str, int]) -> Improvement | None:
    if f"{side}_low_sum" not in values:
        return None
    low_sum, high_sum = (
        values[f"{side}_{name}"] + (values.get(f"{side}_{name}_hi", 0) << 32) for name in ("low_sum", "high_sum")
    )
    return Improvement(low_sum, high_sum)
