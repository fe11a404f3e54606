"""Random illegal inputs of every command, drawn from its own parameters and from the keys' own metadata.

A new command, option, key or unit takes part by itself. The illegal values of an option follow from its type; only an
option that takes any text has them in `TEXTS`, by its name.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import attrs
import click
from illegal_values import ODD_INTEGERS, ODD_TEXTS, TEXTS, TOGETHER, values_of

from lowtide.cli.main import lowtide
from lowtide.cli.summaries import GROUPS
from lowtide.config import Config
from lowtide.emission.registry import UNITS

__all__ = ["Case", "Place", "cases", "commands", "places"]

Make = Callable[[Random], list[str]]
Place = tuple[str, str]
"""A command, and the option, argument or kind of fault of it."""


@attrs.frozen
class Case:
    """An illegal command line.

    Parameters
    ----------
    place : tuple of str
        What is illegal.
    arguments : list of str
        The command line.
    """

    place: Place
    arguments: list[str]


def cases(random: Random, count: int) -> Iterator[Case]:
    """So many illegal command lines; every place has its turn before any has another."""
    makers = dict(_makers())
    turns: list[Place] = []
    for _ in range(count):
        if not turns:
            turns = list(makers)
            random.shuffle(turns)
        place = turns.pop()
        yield Case(place, makers[place](random))


def places() -> list[Place]:
    """Every place of every command at which a case is illegal."""
    return [place for place, _ in _makers()]


def commands(
    group: click.Group = lowtide, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Commands that are no groups, with their full names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None:
            yield (*path, name), command


def _makers() -> Iterator[tuple[Place, Make]]:
    """Every place, and what draws a command line that is illegal there."""
    names = [text for text in ODD_TEXTS if text != "--"]
    yield ("lowtide", "command"), lambda random: [random.choice(names), random.choice(["emit", "--json", "tiny"])]
    yield ("lowtide", "option"), _unknown_option
    for group in GROUPS:
        if group:
            yield (group, "command"), lambda random, group=group: [group, random.choice(names), "emit"]
    for path, command in commands():
        for fault, make in _faults_of(path, command):
            yield (" ".join(path), fault), _whole_line(path, command, make)


def _whole_line(path: Sequence[str], command: click.Command, make: Make) -> Make:
    """The command with the fault, and now and then with flags that are legal."""
    flags = [
        option.opts[-1]
        for option in command.params
        if isinstance(option, click.Option) and option.is_flag and not option.is_eager and not option.secondary_opts
    ]
    return lambda random: [*path, *random.sample(flags, random.randrange(min(len(flags), 2) + 1)), *make(random)]


def _faults_of(path: Sequence[str], command: click.Command) -> Iterator[tuple[str, Make]]:
    takes_config = any(parameter.opts[-1] in ("config", "--config") for parameter in command.params)
    yield "option", _unknown_option
    yield "arguments", lambda random: ["tiny", random.choice(ODD_TEXTS[2:7]), "tiny", "tiny"]
    if " ".join(path) in TOGETHER:
        yield "together", lambda random: list(random.choice(TOGETHER[" ".join(path)]))
    for parameter in command.params:
        name = parameter.opts[-1]
        if isinstance(parameter, click.Argument):
            yield name, lambda random, name=name: ["--", random.choice(TEXTS[name])]
            continue
        if parameter.name == "changes":
            yield "--set key", lambda random, extra=name: [extra, random.choice(_keys(random))]
            for section in attrs.fields(Config) if takes_config else []:
                yield f"--set {section.name}", _changed(name, section.type, f"{section.name}.")
        elif isinstance(parameter, click.Option):
            yield name, _option(name, parameter)
    if any(parameter.name == "changes" for parameter in command.params):
        for option in command.params:
            if option.opts[-1] == "--unit":
                yield "--unit keys", _unit_keys


def _option(name: str, option: click.Option) -> Make:
    """An illegal value of an option, or none where it wants one, or one where it wants none."""
    if option.is_flag:
        return lambda random: [f"{name}={random.choice(ODD_TEXTS)}"]
    values = TEXTS.get(name) if _takes_text(option) else None
    values = values_of(option.type) if values is None else values

    def make(random: Random) -> list[str]:
        if not values or not random.randrange(8):
            return [name]
        return [f"{name}={random.choice(values)}"]

    return make


def _takes_text(option: click.Option) -> bool:
    return isinstance(option.type, type(click.STRING) | click.Path)


def _unknown_option(random: Random) -> list[str]:
    odd = (
        "--nope",
        "--jsn",
        "-z",
        "-ü",
        "--json=",
        "--\x1b[31m",
        "--a\nb",
        "--set",
        "---",
        "--=",
        "-\0",
        "--" + "n" * 5000,
    )
    return [random.choice(odd)]


def _keys(random: Random) -> list[str]:
    """Changes of keys that there are not, and such as are no KEY=VALUE."""
    section = random.choice(attrs.fields(Config))
    key = random.choice(attrs.fields(section.type)).name
    return [
        *(
            "",
            "=",
            "=1",
            "array",
            "array.rows",
            "rows",
            ".=1",
            ".rows=1",
            "array.=1",
            "array..rows=1",
            "\n=1",
            "a\0b.c=1",
        ),
        *(f"{section.name}.{key}", f"{section.name}.{key}s=1", f"{section.name}s.{key}=1", f"{section.name}=1"),
        *(f" {section.name}.{key}=1", f"{section.name}.{key} =1", f"{section.name.upper()}.{key}=1", f"{key}={key}"),
        *(f"{section.name}.\x1b[31m=1", f"{section.name}.{'n' * 5000}=1", f"{'n' * 5000}.{key}=1", "schedules.alpha=1"),
    ]


def _changed(option: str, kind: type, prefix: str) -> Make:
    """One key with a value that is not legal."""

    def make(random: Random) -> list[str]:
        field = random.choice(attrs.fields(kind))
        return [option, f"{prefix}{field.name}={random.choice(illegal_texts(field))}"]

    return make


def _unit_keys(random: Random) -> list[str]:
    unit = random.choice([name for name, kind in UNITS.items() if attrs.fields(kind.parameters)])
    change = _changed("--set", UNITS[unit].parameters, "")(random)
    return ["--unit", unit, *change] if random.randrange(8) else ["--unit", unit, "--set", "no_key=1"]


def illegal_texts(field: attrs.Attribute) -> list[str]:
    """Values of a key that are not legal, as the command line has them."""
    legal: Any = field.metadata["legal"]
    if isinstance(field.default, bool):
        return ["yes", "True", "0", "1", "", "2"]
    if field.name == "taps":
        return ["", ",", "1", "3,", ",3", "3,,1", "1,3", "3, 1", "٣,١", "03,1", "9" * 5000, "99,1", "true", "DEFAULT"]
    if isinstance(field.default, int):
        gaps = [n for n in range(legal[0], min(legal[-1], legal[0] + 100)) if n not in legal]
        numbers = [legal[0] - 1, legal[-1] + 1, -legal[-1] - 1, 2**64, *gaps]
        return [*ODD_INTEGERS, *map(str, numbers)]
    return [text for text in (*ODD_TEXTS, "4", "true", f"{field.default} ", f"{field.default}x") if text not in legal]
