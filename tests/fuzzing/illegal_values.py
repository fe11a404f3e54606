"""Illegal values of each type of option, argument and file."""

from collections.abc import Mapping, Sequence

import attrs
import click

from lowtide.cli.options import (
    InputFolder,
    Name,
    Names,
    Number,
    OutputFile,
    OutputFolder,
    OutputLink,
    Pairs,
    Picture,
    Whole,
    Wholes,
)
from lowtide.config import Config

__all__ = ["FILES", "FOLDERS", "LINKS", "ODD_INTEGERS", "ODD_TEXTS", "PIPES", "TEXTS", "TOGETHER", "values_of"]

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
NO_NETWORKS = (
    *ODD_TEXTS,
    "resnet",
    "ResNet18",
    "mlp256 ",
    "nowhere.toml",
    "file",
    "bom.toml",
    "twice.toml",
    "zero.toml",
)
NO_LIBRARIES = (*NO_FILES, "file", "empty.json", "latin.json", "large.toml", "archive.toml", "nowhere.lib", "dangling")
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
    "--network": NO_NETWORKS,
    "--liberty": NO_LIBRARIES,
    "--inputs": (*NO_FILES, "file", "list.json", "latin.json", "archive.toml", "dangling", "nowhere.npz"),
    "--shape": (*ODD_TEXTS, "x", "x=", "=1", "x=0", "x=1,", "x=1,,2", "x=-1", "x=1.0", "x=1 ,2", "x=2147483648"),
    "--precision": (*ODD_TEXTS, "0", "3", "5", "4x", "x4", "4x4x4", "fp16", "=4", "x=", "x=four", "4,4", "+4", "04"),
    "--engine": NO_CONFIGS,
    "model": (*NO_FILES, "file", "empty.json", "deep.json", "archive.toml", "large.toml", "dangling", "nowhere.onnx"),
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
        ["tiny", "--top", "engine", "--set", "array.element=pair_mac"],
        ["terms", "--top", "serial", "--set", "array.element=pair_mac"],
        ["--top", "engine", "--set", "engine.output_width=16", "--set", "array.columns=8"],
        ["--top", "engine", "--set", "array.rows=512", "--set", "bfp.lanes=64"],
        ["--top", "serial", "--set", "array.columns=512", "--set", "bfp.lanes=64"],
        ["--unit", "row_normalizer", "--set", "columns=512", "--set", "width=128"],
        ["--unit", "sum_memory", "--set", "width=44"],
        ["--unit", "sum_memory", "--set", "tiles=262144"],
        ["--top", "engine", "--set", "engine.sum_rows=8", "--set", "engine.sum_max_k=4095"],
        [
            "--top",
            "engine",
            "--set",
            "engine.sum_rows=512",
            "--set",
            "engine.sum_columns=512",
            "--set",
            "bfp.exponent=5",
        ],
    ),
    "report": (
        ["--top", "engine", "--unit", "no_part"],
        ["--top", "serial", "--unit", "no_part"],
        ["--unit", "fmac", "--unit", "no_part"],
        ["--unit", "fmac", "--set", "lanes=8", "--unit", "rounder"],
        ["tiny", "--top", "engine", "--set", "array.element=pair_mac"],
    ),
    "sim": (["terms"], ["tiny", "--set", "bfp.mantissa=5"]),
    "train": (
        ["--steps", "1", "--epochs", "1"],
        ["--schedule", "fp32", "--set", "schedule.alpha=0.5"],
        ["--log", "file"],
    ),
    "run": (
        ["file", "--inputs", "file", "--shape", "x=1"],
        ["file", "--port", "COM1"],
        ["file", "--engine", "terms"],
        ["file", "--on", "verilator", "--port", "COM1"],
        ["file", "--set", "engine.packed_operands=false", "--operands", "packed"],
    ),
    "tune": (
        ["file", "--inputs", "file", "--engine", "terms"],
        ["file", "--inputs", "file", "--batch", "0"],
        ["file"],
    ),
    "study equal-area": (
        ["--schedules", "table.json", "--network", "convolution"],
        ["--schedules", "table.json", "--seeds", "2"],
    ),
    "device serve": (["tiny", "--set", "array.element=pair_mac"],),
    "study layers": (["--bits", "3x3"], ["--bits", "2x2,8x8"], ["terms"], ["--set", "engine.packed_operands=false"]),
    "study layer-precision": (
        ["file"],
        ["--inputs", "file"],
        ["--labels", "file"],
        ["--output-name", "y"],
        ["--engine", "terms"],
        ["file", "--inputs", "file"],
        ["file", "--inputs", "file", "--metric", "accuracy"],
        ["file", "--inputs", "file", "--labels", "file", "--metric", "agreement"],
        ["file", "--lines", "4", "--inputs", "file"],
        ["file", "--lines", "4", "--metric", "accuracy"],
        ["--lines", "4"],
        ["--batch", "4"],
        ["--tuning", "1001"],
        ["--set", "engine.packed_operands=false"],
    ),
    "study rounder-search": (["--storage", "journal"], ["--storage", "deep.json"], ["--storage", "list.json"]),
    "board flash": tuple(
        ["--folder", f"bits/{kind}"] for kind in ("none", "list", "null", "deep", "latin", "folder", "no")
    ),
    "board build": (
        ["tiny", "--set", "array.element=pair_mac"],
        ["--set", "serial.clock=80000001"],
        ["--board", "tang-nano-9k", "ulx3s"],
    ),
}
"""Options that are legal alone, and not together or with this configuration."""


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
        case Pairs():
            some, most = str(kind.legal[0]), kind.legal[-1]
            ends = (some, f"{some}x", f"x{some}", f"{some}x{most + 1}", f"{some}x{some},", f"{some}X{some}")
            return (*ODD_TEXTS, *ends, f"{some}x{some}x{some}", f"{some} x{some}", f"{some}x-1", f"0x{some}")
        case Number():
            least = kind.above - 0.001 if kind.both else kind.above
            return (*ODD_NUMBERS, f"{least:.9f}", f"{kind.below + 0.001:.9f}", "-1e9", "1e9", f"-{kind.below + 1}")
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
