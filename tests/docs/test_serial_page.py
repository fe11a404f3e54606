"""The page of the serial bridge: it explains every status of the hardware, and its example is a frame."""

import re
from pathlib import Path

from lowtide.interfaces.serial.protocol import STATUSES
from lowtide_model.serial_frames import Frame, Frames

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "serial.md").read_text(encoding="utf-8")


def test_every_status_is_there():
    assert re.findall(r"^\| (done|busy|order|refused) \|", PAGE, re.MULTILINE) == list(STATUSES)
    assert "; ".join(f"{n} {name}" for n, name in enumerate(STATUSES)) in PAGE


def test_the_example_is_a_hello():
    code = PAGE.partition("```python\n")[2].partition("```")[0]
    found = {}
    exec(code, found)
    assert list(Frames().add(found["frame"])) == [Frame(1, 7, (1, 0))]
