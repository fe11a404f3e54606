"""Optuna's storage, which several processes and machines may share: a journal file, or the URL of a database."""

import json
import os
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import StudyDirection
from sqlalchemy.exc import SQLAlchemyError

from lowtide.errors import LowtideError

__all__ = ["StorageError", "open_study"]

LONGEST_LINE = 2**20
"""Most bytes of a journal's first line."""


class StorageError(LowtideError):
    """A storage cannot be used; the message is one line."""


def open_study(storage: str | Path, name: str, objectives: int = 1) -> optuna.Study:
    """Open a study, or create it.

    Parameters
    ----------
    storage : str or Path
        Journal file, which may be on a network disk, or the URL of a database as SQLAlchemy takes it. Each process
        appends its trials to the journal under a lock, and reads the trials of the others.
    name : str
        Name of the study in the storage.
    objectives : int
        Number of objectives, which are minimized.

    Raises
    ------
    StorageError
        If the storage cannot be read and written, or is not a journal.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        opened = RDBStorage(str(storage)) if "://" in str(storage) else _journal(Path(storage))
        directions = [StudyDirection.MINIMIZE] * objectives
        return optuna.create_study(storage=opened, study_name=name, directions=directions, load_if_exists=True)
    except OSError as error:
        raise StorageError(f"cannot use {storage} as storage: {error.strerror}") from None
    except (ImportError, SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise StorageError(
            f"cannot use {storage} as storage: {(str(error).splitlines() or ['no connection'])[0]}"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StorageError(f"cannot use {storage} as storage: the journal is damaged") from None


def _journal(file: Path) -> BaseStorage:
    # A killed process may leave its lock file: after 30 s the lock counts as abandoned.
    lock = JournalFileOpenLock(str(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.open("ab").close()
    _check_is_journal(file)
    _remove_torn_line(file, lock)
    return JournalStorage(JournalFileBackend(str(file), lock))


def _check_is_journal(file: Path) -> None:
    with file.open("rb") as stream:
        first = stream.readline(LONGEST_LINE)
    try:
        known = not first.endswith(b"\n") or "op_code" in json.loads(first)
    except (ValueError, TypeError, RecursionError):
        known = False
    if not known or (first and not first.startswith(b"{")):
        raise StorageError(f"cannot use {file} as storage: not an Optuna journal")


def _remove_torn_line(file: Path, lock: JournalFileOpenLock) -> None:
    """Remove a last line whose writing was interrupted: Optuna would lose the next line with it."""
    with file.open("rb+") as stream:
        if not _torn(stream):
            return
        lock.acquire()  # so that no other process is writing this line
        try:
            if _torn(stream):
                stream.seek(0)
                stream.truncate(stream.read().rfind(b"\n") + 1)
        finally:
            lock.release()


def _torn(stream) -> bool:
    if not stream.seek(0, os.SEEK_END):
        return False
    stream.seek(-1, os.SEEK_END)
    return stream.read() != b"\n"
