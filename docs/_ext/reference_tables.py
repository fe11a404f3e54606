"""Directives that render reference tables from the code, so that pages cannot contradict the hardware.

``lowtide-keys``
    Configuration keys with their defaults, legal values and meanings.
``lowtide-presets``
    Presets with their sizes, widths and latencies.
``lowtide-registers``
    Registers of the default engine.
``lowtide-requests``
    Requests of the serial protocol.
"""

import attrs
from sphinx.util.docutils import SphinxDirective

from lowtide.config import PRESETS, Config, presets
from lowtide.emission.top import AxiStreamArray, AxiStreamEngine
from lowtide.engine.registers import BYTES
from lowtide.formats.parameter import legal_text
from lowtide.interfaces.serial.protocol import REQUESTS


class Table(SphinxDirective):
    """A Markdown table that a function returns as text."""

    def run(self):
        return self.parse_text_to_nodes(self.table())


class Keys(Table):
    @staticmethod
    def table():
        return "\n\n".join(_section(field.name, field.type) for field in attrs.fields(Config))


class Presets(Table):
    @staticmethod
    def table():
        head = ["| preset | size | accumulator | word of A per row | latency | purpose |", "|---|---|---|---|---|---|"]
        return "\n".join([*head, *map(_preset, presets())])


class Registers(Table):
    @staticmethod
    def table():
        rows = [
            f"| `{BYTES * place:#05x}` | `{register.name}` | {register.access} | {register.bits} | {register.meaning} |"
            for place, register in enumerate(AxiStreamEngine(Config()).registers)
        ]
        return "\n".join(["| address | register | access | bits | meaning |\n|---|---|---|---|---|", *rows])


class Requests(Table):
    @staticmethod
    def table():
        head = ["| request | kind | payload | answer, after the first two words | effect |", "|---|---|---|---|---|"]
        rows = [
            f"| `{each.name}` | `{each.code:#04x}` | {each.payload} | {each.answer} | {each.meaning} |"
            for each in REQUESTS
        ]
        return "\n".join([*head, *rows])


def _section(name, kind):
    rows = [f"**Section `[{name}]`**\n", "| key | default | legal | meaning |\n|---|---|---|---|"]
    for field in attrs.fields(kind):
        legal = legal_text(field.metadata["legal"])
        rows.append(f"| `{name}.{field.name}` | `{field.default}` | {legal} | {field.metadata['meaning']} |")
    return "\n".join(rows)


def _preset(name):
    config = Config.load(name)
    array = AxiStreamArray(config).array
    word = len(array.a.payload.data) // array.rows
    purpose = (PRESETS / f"{name}.toml").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    return (
        f"| `{name}` | {config.array.rows} × {config.array.columns} | {array.element().accumulator} bits"
        f" | {word} bits | {array.latency} cycles | {purpose} |"
    )


def setup(app):
    for directive in (Keys, Presets, Registers, Requests):
        app.add_directive(f"lowtide-{directive.__name__.lower()}", directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
