"""The file that keeps a study, and that several processes and machines may share."""

import hashlib
import json
import os
from pathlib import Path

import attrs
import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from lowtide.emission.folder import verilog_and_modules
from lowtide.units.rounding.decisions import RoundingDecisions
from lowtide.versions import versions
from lowtide_studies.rounder_search.design import SearchError
from lowtide_studies.rounder_search.figures import OBJECTIVES
from lowtide_studies.rounder_search.space import BASELINES, DISTRIBUTIONS, PLATEAU, VERSION

__all__ = ["fingerprint", "open_study"]

LONGEST_LINE = 2**20
"""Most bytes of a journal's first line."""


def open_study(file: Path, name: str) -> optuna.Study:
    """The study of a name in a file; both are made if need be.

    The file is a journal: each process appends what it does, under a lock, and reads what others did. A file on a
    network's disk is as good.

    Raises
    ------
    SearchError
        If the file cannot be read and written, is no journal, or its study was made by another version.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # A lock file of its own, which a process that was killed may leave behind: after 30 s it is taken for dead.
    lock = JournalFileOpenLock(str(file))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("ab").close()
        _check_is_journal(file)
        _mend(file, lock)
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(file), lock)),
            study_name=name,
            directions=["minimize" for _ in OBJECTIVES],
            load_if_exists=True,
        )
    except OSError as error:
        raise SearchError(f"cannot use {file} as storage: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SearchError(f"cannot use {file} as storage: it is damaged") from None
    _check_version(study, file)
    return study


def fingerprint() -> str:
    """What must be the same for figures of one study to be comparable: space, hardware and synthesis, in short."""
    space = {name: distribution_to_json(distribution) for name, distribution in DISTRIBUTIONS.items()}
    plateau = BASELINES[PLATEAU]
    designs = [plateau, attrs.evolve(plateau, polarity="plain", mode="half_step", fraction=4)]
    hardware = [verilog_and_modules(RoundingDecisions(d.source, d.rounder))[0] for d in designs]
    text = json.dumps([space, list(OBJECTIVES), hardware, versions()["yosys"]])
    return f"{VERSION}.{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _check_is_journal(file: Path) -> None:
    with file.open("rb") as stream:
        first = stream.readline(LONGEST_LINE)
    try:
        known = not first.endswith(b"\n") or "op_code" in json.loads(first)
    except (ValueError, TypeError, RecursionError):
        known = False
    if not known or (first and not first.startswith(b"{")):
        raise SearchError(f"cannot use {file} as storage: it is no study")


def _mend(file: Path, lock: JournalFileOpenLock) -> None:
    """Cut off the rest of a line whose writing was interrupted: what is appended to it would be lost with it."""
    with file.open("rb+") as stream:
        if not _torn(stream):
            return
        lock.acquire()  # nobody else is writing that line just now
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


def _check_version(study: optuna.Study, file: Path) -> None:
    here, there = fingerprint(), study.user_attrs.get("version")
    if there is None and not study.trials:
        study.set_user_attr("version", here)
    elif there != here:
        raise SearchError(
            f"{file} holds a study of another version of the search space, its hardware or Yosys:"
            f" {there}, not {here}; give another --storage"
        )
