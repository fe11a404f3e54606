"""Random illegal inputs of every command, drawn from its own parameters and from the keys' own metadata.

A new command, option, key or unit takes part by itself. The illegal values of an option follow from its type; only an
option that takes any text has them in `TEXTS`, by its name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import attrs
import click

from lowtide.cli.main import lowtide
from lowtide.cli.options import (
    InputFolder,
    Name,
    Names,
    Number,
    OutputFile,
    OutputFolder,
    OutputLink,
    Picture,
    Whole,
    Wholes,
)
from lowtide.cli.summaries import GROUPS
from lowtide.config import Config
from lowtide.emission.registry import UNITS

__all__ = [
    "FILES",
    "FOLDERS",
    "LINKS",
    "PIPES",
    "TEXTS",
    "Case",
    "Place",
    "cases",
    "commands",
    "places",
    "values_of",
]

Make = Callable[[Random], list[str]]
Place = tuple[str, str]
"""A command, and the option, argument or kind of fault of it."""

LONG = "n" * 300
ODD_TEXTS = ("", " ", "nope", "\x1b[31m", "a\nb", "a\0b", "ä", "\ud800", "--", "-", "*", "x" * 5000, "'", "[]", "../..")
ODD_INTEGERS = (
    *("", " 4", "4 ", "4\n", "+4", "1_0", "04", "--4", "٤", "\uff14", "²", "4.0", "4e0", "0x4", "four", "nan", "true"),
    *("4,", "4 4", "\x004", "None", "[4]", "9" * 50, "9" * 5000, "-" + "9" * 5000),
)
ODD_NUMBERS = (
    "",
    " 0.5",
    "+0.5",
    "1_0.5",
    ".5",
    "5.",
    "٠.٥",
    "nan",
    "inf",
    "-inf",
    "1e",
    "1e999",
    "half",
    "0,5",
    "0x1p3",
)


def _toml_values(key: attrs.Attribute) -> list[str]:
    """Values of a key that are not legal, as TOML has them."""
    if isinstance(key.default, int) and not isinstance(key.default, bool):
        legal = key.metadata["legal"]
        return [
            str(legal[0] - 1),
            str(legal[-1] + 1),
            f"{legal[0]}.0",
            f'"{legal[0]}"',
            "true",
            "nan",
            "[1]",
            "2020-01-01",
        ]
    return ['"no"', '""', "1", "0.5", "-inf", f'["{key.default}"]', f'{{a = "{key.default}"}}', "07:32:00"]


# What the commands find in the folder in which they run.
FILES: Mapping[str, bytes] = {
    "file": b"text",
    "empty.json": b"",
    "list.json": b"[]",
    "table.json": b"{}",
    "null.json": b"null",
    "text.json": b'{"runs": 1, "seeds": "a", "outcomes": []}',
    "none.json": b'{"runs": {}, "seeds": [], "outcomes": {"adaptive": []}}',
    "deep.json": b"[" * 100_000,
    "digits.json": b"1" * 5000,
    "latin.json": b'"\xfc"',
    "bom.toml": b"\xef\xbb\xbf[array]\nrows = 2\n",
    "digits.toml": b"[array]\nrows = " + b"1" * 5000,
    "hexadecimal.toml": b"[array]\nrows = 0x" + b"f" * 5000,
    "deep.toml": b"a = " + b"[" * 3000 + b"]" * 3000,
    "tables.toml": b"a = " + b"{a = " * 3000,
    "dotted.toml": b"array.rows." + b"a." * 3000 + b"a = 1\n",
    "zero.toml": b"[array]\nrows = 2\0\n",
    "latin.toml": b"# \xfc\n[array]\nrows = 2\n",
    "utf16.toml": "[array]\nrows = 2\n".encode("utf-16"),
    "large.toml": b"#" * 100_000,
    "twice.toml": b"[array]\nrows = 2\nrows = 2\n",
    "unknown.toml": b"[arrays]\n",
    "key.toml": b'[array]\n"ro\\nws" = 2\n',
    "section.toml": b"array = 2\n",
    "arrays.toml": b"[[array]]\nrows = 2\n",
    "date.toml": b"[array]\nrows = 2020-02-31\n",
    "open.toml": b"[array",
    "archive.toml": b"PK\x03\x04\x00\x00",
    "together.toml": b"[bfp]\nmantissa = 5\nchunk_a = 2\n",
    "journal": b"no journal\n",
    "bits/none/lowtide-ulx3s.bit": b"bits",
    "bits/list/lowtide-ulx3s.bit": b"bits",
    "bits/list/lowtide-ulx3s.json": b"[]",
    "bits/null/lowtide-ulx3s.bit": b"bits",
    "bits/null/lowtide-ulx3s.json": b'{"sha256": null}',
    "bits/deep/lowtide-ulx3s.bit": b"bits",
    "bits/deep/lowtide-ulx3s.json": b"[" * 100_000,
    "bits/latin/lowtide-ulx3s.bit": b"bits",
    "bits/latin/lowtide-ulx3s.json": b'"\xfc"',
} | {
    f"{section.name}.{key.name}.{number}.toml": f"[{section.name}]\n{key.name} = {value}\n".encode()
    for section in attrs.fields(Config)
    for key in attrs.fields(section.type)
    for number, value in enumerate(_toml_values(key))
}
FOLDERS = ("folder", "folder.toml", "folder.json", "folder.png", "bits/folder/lowtide-ulx3s.bit")
PIPES = ("pipe", "pipe.toml", "pipe.json", "bits/folder/lowtide-ulx3s.json")
LINKS: Mapping[str, str] = {"dangling": "no/where", "loop": "loop", "device.toml": "/dev/zero", "device": "/dev/zero"}

NO_FOLDERS = (
    "",
    "file",
    "file/below/it",
    "pipe",
    "dangling",
    "loop",
    "loop/below",
    LONG,
    f"new/{LONG}",
    "a\0b",
    "\ud800",
)
NO_FILES = (
    "",
    "folder",
    "folder/",
    "new/",
    "pipe",
    "device",
    "file/below",
    "loop",
    LONG,
    f"new/{LONG}",
    "a\0b",
    "/proc/no/x",
)
NO_PICTURES = ("picture", "picture.", "picture.xyz", "picture.png.", "picture.pgf", "folder.png", "new/.png", "a.json")
NO_CONFIGS = (
    *("tinyy", "TINY", "tiny ", "tiny\n", "nowhere.toml", "nowhere/c.toml", "file/c.toml", ".toml", "file", "c.tomll"),
    *(name for name in (*FILES, *FOLDERS, *PIPES, *LINKS) if name.endswith(".toml")),
    *(f"{LONG}.toml", "a\0b.toml", "\ud800.toml", "\x1b[31m.toml", "tiny.toml", "http://tiny.toml"),
)
NO_SCHEDULES = (*(name for name in (*FILES, *FOLDERS, *PIPES) if name.endswith(".json")), "", "nowhere.json", "device")
NO_UNITS = (*ODD_TEXTS, "Fmac", "fmac ", "fmac\n", "fmac,pmac", "no_unit")
NO_BOARDS = (*ODD_TEXTS, "ulx3", "ULX3S", "ulx3s ", "ulx3s,icebreaker", "../ulx3s")
NO_TARGETS = (*ODD_TEXTS, ",", "ecp5,", ",ecp5", "ecp5,,xc7", "ecp6", "ECP5", "ecp5;xc7")

NO_IDENTIFIERS = (
    *(text for text in ODD_TEXTS if text not in ("nope", "x" * 5000)),
    "1abc",
    "a b",
    "a-b",
    "module",
    "int",
    "../up",
    "a.v",
)
TEXTS: Mapping[str, Sequence[str]] = {
    "config": NO_CONFIGS,
    "--config": NO_CONFIGS,
    "--unit": NO_UNITS,
    "--name": NO_IDENTIFIERS,
    "--prefix": NO_IDENTIFIERS,
    "--board": NO_BOARDS,
    "--target": NO_TARGETS,
    "--schedules": NO_SCHEDULES,
    "name": (*NO_UNITS, "tinyy", "TINY"),
    "part": (*(text for text in ODD_TEXTS if text != "--"), "preset", "KEYS", "units "),
}
"""Illegal values of options and arguments whose type takes any text."""

TOGETHER: Mapping[str, Sequence[Sequence[str]]] = {
    "emit": (
        ["--bus", "wishbone"],
        ["--top", "array", "--bus", "plain"],
        ["--top", "serial", "--bus", "axi4-lite"],
        ["--unit", "fmac", "--top", "engine"],
        ["--unit", "fmac", "--bus", "plain"],
        ["--unit", "fmac", "--name", "mine"],
        ["terms", "--top", "engine"],
        ["terms", "--top", "serial"],
        ["--top", "engine", "--set", "engine.output_width=16", "--set", "array.columns=8"],
    ),
    "report": (
        ["--top", "engine", "--unit", "no_part"],
        ["--top", "serial", "--unit", "no_part"],
        ["--unit", "fmac", "--unit", "no_part"],
        ["--unit", "fmac", "--set", "lanes=8", "--unit", "rounder"],
        ["terms", "--top", "engine"],
    ),
    "sim": (["terms"], ["tiny", "--set", "bfp.mantissa=5"]),
    "train": (
        ["--steps", "1", "--epochs", "1"],
        ["--schedule", "fp32", "--set", "schedule.alpha=0.5"],
        ["--log", "file"],
    ),
    "study equal-area": (
        ["--schedules", "table.json", "--network", "convolution"],
        ["--schedules", "table.json", "--seeds", "2"],
    ),
    "device serve": (["terms"],),
    "study rounder-search": (["--storage", "journal"], ["--storage", "deep.json"], ["--storage", "list.json"]),
    "board flash": tuple(
        ["--folder", f"bits/{kind}"] for kind in ("none", "list", "null", "deep", "latin", "folder", "no")
    ),
    "board build": (["terms"], ["--set", "serial.clock=80000001"], ["--board", "tang-nano-9k", "ulx3s"]),
}
"""Options that are legal alone, and not together or with this configuration."""


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


def values_of(kind: click.ParamType) -> Sequence[str]:
    """Illegal values of a type."""
    match kind:
        case Whole():
            return (*ODD_INTEGERS, *map(str, _beside(kind.legal)))
        case Wholes():
            legal, some = kind.one.legal, str(kind.one.legal[0])
            odd = [text for text in ODD_INTEGERS if text != "4,"]
            return (
                *odd,
                *map(str, _beside(legal)),
                f"{some},",
                f",{some}",
                f"{some},{legal[-1] + 1}",
                f"{some}, {some}",
            )
        case Number():
            return (*ODD_NUMBERS, f"{kind.above:.9f}", f"{kind.below + 0.001:.9f}", "-1e9", "1e9", f"-{kind.below + 1}")
        case Name() | click.Choice():
            known = list(map(str, kind.known if isinstance(kind, Name) else kind.choices))
            return (*ODD_TEXTS, f"{known[0]} ", f"{known[0]}x", ",".join(known[:2]) + ",", known[-1].swapcase() + "_")
        case Names():
            return (*ODD_TEXTS, ",", f"{kind.one.known[0]},", f"{kind.one.known[0]},nope", f"{kind.one.known[0]}x")
        case OutputFolder():
            return NO_FOLDERS
        case OutputLink():
            return ("", "file", "folder", "folder/", "pipe", "file/below", LONG, f"new/{LONG}", "a\0b", "new/")
        case Picture():
            return (*NO_FILES, *NO_PICTURES)
        case OutputFile():
            return NO_FILES
        case InputFolder():
            return ("", "file", "pipe", "dangling", "loop", "a\0b", "folder", "nowhere")
        case click.IntRange():
            ends = [kind.min - 1] if kind.min is not None else []
            ends += [kind.max + 1] if kind.max is not None else []
            return ("four", "", "4.0", *map(str, ends))
    return ("four", "", "4.0") if isinstance(kind, type(click.INT)) else ()


def _beside(legal: range) -> list[int]:
    """Integers that are not legal: the nearest and others."""
    return [legal[0] - 1, legal[-1] + 1, legal[0] - 2**31, legal[-1] + 2**63]


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
