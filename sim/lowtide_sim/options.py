"""Values of command-line options that are refused in one line, with the legal ones named."""

import click

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import legal_text

__all__ = ["Names", "Whole", "Wholes"]


class Names(click.ParamType):
    """Names with commas between them, each of which must be known."""

    name = "NAME,..."

    def __init__(self, key: str, known: tuple[str, ...]):
        self.key, self.known = key, known

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        for name in names or [value]:
            if name not in self.known:
                raise IllegalValue(self.key, legal_text(self.known), name)
        return names


class Whole(click.ParamType):
    """An integer within limits."""

    name = "N"

    def __init__(self, key: str, legal: range):
        self.key, self.legal = key, legal

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(value)
        except ValueError:
            raise IllegalValue(self.key, legal_text(self.legal), value) from None
        if number not in self.legal:
            raise IllegalValue(self.key, legal_text(self.legal), number)
        return number


class Wholes(click.ParamType):
    """Integers within limits, with commas between them."""

    name = "N,..."

    def __init__(self, key: str, legal: range):
        self.one = Whole(key, legal)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        return tuple(dict.fromkeys(self.one.convert(number, param, ctx) for number in value.split(",")))
