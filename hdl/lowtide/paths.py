"""Files and folders of a user: checked before any work starts, without changes on disk."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from lowtide.errors import LowtideError

__all__ = ["PathError", "check_output_file", "check_output_folder", "read_text"]


class PathError(LowtideError, ValueError):
    """File or folder that cannot be read or written; the message is one line."""


def check_output_folder(folder: Path) -> None:
    """Refuse a folder into which no file can be written. A missing folder must be creatable.

    Raises
    ------
    PathError
        If no file can be written.
    """
    with _refused(f"cannot write into {folder}"):
        _try_folder(folder)


def check_output_file(file: Path) -> None:
    """Refuse a file that cannot be written. Its folder may be missing, but must be creatable.

    Raises
    ------
    PathError
        If the file cannot be written.
    """
    with _refused(f"cannot write {file}"):
        try:
            mode = file.stat().st_mode
        except FileNotFoundError:
            target = Path(os.path.realpath(file))
            _try_folder(target.parent, [target.name])
        else:
            _check_regular(mode)
            os.close(os.open(file, os.O_WRONLY))


def read_text(file: Path, most: int) -> str:
    """Return the UTF-8 text of a regular file of at most ``most`` bytes.

    Raises
    ------
    PathError
        If the file cannot be read, is larger, or is not UTF-8 text.
    """
    with _refused(f"cannot read {file}"):
        # Opening a named pipe would wait for its writer.
        _check_regular(file.stat().st_mode)
        with file.open("rb") as stream:
            data = stream.read(most + 1)
    if len(data) > most:
        raise PathError(f"cannot read {file}: the file must have at most {most:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise PathError(f"cannot read {file}: it is not UTF-8 text") from None


@contextmanager
def _refused(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PathError(f"{what}: {error.strerror or error}") from None
    except ValueError:  # a null character, or a surrogate that stands for no byte
        raise PathError(f"{what}: not a legal name") from None


def _try_folder(folder: Path, names: Sequence[str] = ()) -> None:
    """Write into the nearest existing folder, after checking that the missing names below it are legal."""
    missing = list(names)
    for existing in (folder, *folder.parents):
        try:
            mode = existing.stat().st_mode
        except FileNotFoundError:
            if existing.is_symlink():
                raise
            missing.append(existing.name)
            continue
        if not stat.S_ISDIR(mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        for name in missing:
            with suppress(FileNotFoundError):
                (existing / name).stat()
        # Permissions alone do not tell: a file system may be read-only, and an administrator may do everything.
        with tempfile.TemporaryFile(dir=existing):
            return
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _check_regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
