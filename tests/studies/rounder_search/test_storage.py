"""Storage of a search, and refusals of files that cannot be a storage."""

import re

import pytest

from lowtide_studies.harness.storage import StorageError
from lowtide_studies.rounder_search import search
from lowtide_studies.rounder_search.design import DISTRIBUTIONS
from lowtide_studies.rounder_search.search import fingerprint, open_search


@pytest.fixture
def file(tmp_path):
    return tmp_path / "folder" / "sru.journal"


@pytest.fixture
def quick(monkeypatch):
    """A fingerprint that takes no time."""
    monkeypatch.setattr(search, "fingerprint", lambda: "1.made-up")


def refusal(file):
    with pytest.raises(StorageError) as error:
        open_search(file, "sru-xc7")
    return str(error.value)


@pytest.mark.usefixtures("quick")
def test_a_study_is_created_and_opened_again(file):
    study = open_search(file, "sru-xc7")
    trial = study.ask(DISTRIBUTIONS)
    study.tell(trial, [1, 2, 3, 4, 5])
    assert [found.values for found in open_search(file, "sru-xc7").trials] == [[1, 2, 3, 4, 5]]
    assert open_search(file, "sru-ecp5").trials == []


def test_other_version_is_refused(file, monkeypatch):
    here = fingerprint()
    open_search(file, "sru-xc7")
    monkeypatch.setattr(search, "VERSION", 99)
    assert refusal(file) == (
        f"cannot use {file} as storage: its study has another version of the search space, the hardware or Yosys,"
        f" {here}, not 99.{here.split('.')[1]}; give another --storage"
    )


def test_version_depends_on_space_hardware_and_yosys(monkeypatch):
    seen = {fingerprint()}
    for name, other in [
        ("DISTRIBUTIONS", {}),
        ("verilog_and_modules", lambda unit: ("module other; endmodule", [])),
        ("versions", lambda: {"yosys": "0.0"}),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(search, name, other)
            seen.add(fingerprint())
    assert len(seen) == 4


def test_folder_is_refused(tmp_path):
    assert refusal(tmp_path) == f"cannot use {tmp_path} as storage: Is a directory"


def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    file = tmp_path / "file" / "sru.journal"
    assert re.fullmatch(rf"cannot use {file} as storage: (File exists|Not a directory)", refusal(file))


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"[1]\n", b'{"name": "x"}\n', b"\x89PNG\r\n\x1a\n", b"no line"])
def test_other_files_are_refused_and_not_changed(tmp_path, content):
    file = tmp_path / "other"
    file.write_bytes(content)
    assert refusal(file) == f"cannot use {file} as storage: not an Optuna journal"
    assert file.read_bytes() == content


@pytest.mark.usefixtures("quick")
def test_a_damaged_journal_is_refused(file):
    open_search(file, "sru-xc7")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b"{rubbish\n" + b"".join(lines[1:]))
    assert refusal(file) == f"cannot use {file} as storage: the journal is damaged"


@pytest.mark.usefixtures("quick")
def test_a_torn_last_line_is_removed(file):
    study = open_search(file, "sru-xc7")
    study.tell(study.ask(DISTRIBUTIONS), [1, 2, 3, 4, 5])
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"op_code":4,"worker')
    again = open_search(file, "sru-xc7")
    again.tell(again.ask(DISTRIBUTIONS), [1, 2, 3, 4, 5])
    assert len(open_search(file, "sru-xc7").trials) == 2
    assert file.read_bytes().startswith(whole)


@pytest.mark.parametrize("url", ["sqlite:////nowhere/study.db", "nosuch://host/study", "postgresql+nosuch://host/x"])
def test_unusable_urls_are_refused_in_one_line(url):
    message = refusal(url)
    assert message.startswith(f"cannot use {url} as storage: ")
    assert "\n" not in message
