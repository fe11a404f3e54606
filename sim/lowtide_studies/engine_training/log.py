"""Logs of runs: files that are only appended to, and tolerate a torn last line."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lowtide.formats.parameter import IllegalValue

__all__ = ["Log"]

Entry = dict[str, Any]


class Log:
    """One JSON object per line, after the checksum of the line.

    The first line identifies the run. A line with a wrong checksum, such as a torn last line, is dropped together with
    all lines after it.

    Parameters
    ----------
    path : Path
        The file, which is created if needed.
    identity : dict
        Identity of the run.

    Attributes
    ----------
    entries : list of dict
        All lines but the first.

    Raises
    ------
    IllegalValue
        If the log belongs to another run, or the file is not a log.
    """

    def __init__(self, path: Path, identity: Entry):
        self.path, self.entries = path, list[Entry]()
        path.parent.mkdir(parents=True, exist_ok=True)
        held = path.read_bytes() if path.exists() else b""
        lines = list(_whole(held))
        if lines:
            _check_same(path, lines[0][1], identity)
        elif not _line(identity).startswith(held):
            raise IllegalValue("log", "a log of lowtide train, or no file yet", str(path))
        else:
            path.write_bytes(_line(identity))
            lines = list(_whole(path.read_bytes()))
        self._ends = [end for end, _ in lines]
        self.entries = [entry for _, entry in lines[1:]]
        os.truncate(path, self._ends[-1])

    def append(self, entry: Entry) -> None:
        """Append an entry, and flush it to the disk."""
        line = _line(entry)
        with self.path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._ends.append(self._ends[-1] + len(line))
        self.entries.append(entry)

    def rewind(self, count: int) -> None:
        """Keep only the first ``count`` entries."""
        del self.entries[count:], self._ends[count + 1 :]
        os.truncate(self.path, self._ends[-1])


def _line(entry: Entry) -> bytes:
    text = json.dumps(entry, separators=(",", ":")).encode()
    return _checksum(text) + b" " + text + b"\n"


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()


def _whole(held: bytes) -> Iterator[tuple[int, Entry]]:
    """Entries with the ends of their lines, up to the first damaged line."""
    end = 0
    for line in held.splitlines(keepends=True):
        checksum, _, text = line.rstrip(b"\n").partition(b" ")
        if not line.endswith(b"\n") or checksum != _checksum(text):
            return
        end += len(line)
        yield end, json.loads(text)


def _check_same(path: Path, found: Entry, wanted: Entry) -> None:
    for key in [*wanted, *found]:
        if found.get(key) != wanted.get(key):
            raise IllegalValue(key, f"{found.get(key)!r}, as in {path}, or the log another file", wanted.get(key))
