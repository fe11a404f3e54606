"""The page of the serial bridge: its requests equal the hardware's, and its example is a frame."""

import re
from pathlib import Path

from lowtide.interfaces.serial.protocol import REQUESTS, STATUSES
from lowtide_model.serial_frames import Frame, Frames

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "serial.md").read_text(encoding="utf-8")


def test_every_request_is_there():
    rows = re.findall(r"^\| `(\w+)` \| `(0x\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    due = [(each.name, f"{each.code:#04x}", each.payload, each.answer, each.meaning) for each in REQUESTS]
    assert [(name, code, payload, answer.strip(), meaning) for name, code, payload, answer, meaning in rows] == due


def test_every_status_is_there():
    assert re.findall(r"^\| (done|busy|order|refused) \|", PAGE, re.MULTILINE) == list(STATUSES)
    assert "; ".join(f"{n} {name}" for n, name in enumerate(STATUSES)) in PAGE


def test_the_example_is_a_hello():
    code = PAGE.partition("```python\n")[2].partition("```")[0]
    found = {}
    exec(code, found)
    assert list(Frames().add(found["frame"])) == [Frame(1, 7, (1, 0))]
