"""What a study is kept in, and what is said of a file that will not do."""

import re

import pytest

from lowtide_studies.rounder_search import storage
from lowtide_studies.rounder_search.design import SearchError
from lowtide_studies.rounder_search.space import DISTRIBUTIONS
from lowtide_studies.rounder_search.storage import fingerprint, open_study


@pytest.fixture
def file(tmp_path):
    return tmp_path / "folder" / "sru.journal"


@pytest.fixture
def quick(monkeypatch):
    """A fingerprint that is there at once."""
    monkeypatch.setattr(storage, "fingerprint", lambda: "1.made-up")


def refusal(file):
    with pytest.raises(SearchError) as error:
        open_study(file, "sru-xc7")
    return str(error.value)


@pytest.mark.usefixtures("quick")
def test_is_made_and_found_again(file):
    study = open_study(file, "sru-xc7")
    trial = study.ask(DISTRIBUTIONS)
    study.tell(trial, [1, 2, 3, 4, 5])
    assert [found.values for found in open_study(file, "sru-xc7").trials] == [[1, 2, 3, 4, 5]]
    assert open_study(file, "sru-ecp5").trials == []


def test_other_version_is_refused(file, monkeypatch):
    here = fingerprint()
    open_study(file, "sru-xc7")
    monkeypatch.setattr(storage, "VERSION", 99)
    assert refusal(file) == (
        f"{file} holds a study of another version of the search space, its hardware or Yosys:"
        f" {here}, not 99.{here.split('.')[1]}; give another --storage"
    )


def test_version_is_of_space_hardware_and_yosys(monkeypatch):
    seen = {fingerprint()}
    for name, other in [
        ("DISTRIBUTIONS", {}),
        ("verilog_and_modules", lambda unit: ("module other; endmodule", [])),
        ("versions", lambda: {"yosys": "0.0"}),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(storage, name, other)
            seen.add(fingerprint())
    assert len(seen) == 4


def test_folder_is_refused(tmp_path):
    assert refusal(tmp_path) == f"cannot use {tmp_path} as storage: Is a directory"


def test_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    file = tmp_path / "file" / "sru.journal"
    assert re.fullmatch(rf"cannot use {file} as storage: (File exists|Not a directory)", refusal(file))


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"[1]\n", b'{"name": "x"}\n', b"\x89PNG\r\n\x1a\n", b"no line"])
def test_what_is_no_study_is_refused_and_left_alone(tmp_path, content):
    file = tmp_path / "other"
    file.write_bytes(content)
    assert refusal(file) == f"cannot use {file} as storage: it is no study"
    assert file.read_bytes() == content


@pytest.mark.usefixtures("quick")
def test_damage_is_refused(file):
    open_study(file, "sru-xc7")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b"{rubbish\n" + b"".join(lines[1:]))
    assert refusal(file) == f"cannot use {file} as storage: it is damaged"


@pytest.mark.usefixtures("quick")
def test_line_that_was_interrupted_is_mended(file):
    study = open_study(file, "sru-xc7")
    study.tell(study.ask(DISTRIBUTIONS), [1, 2, 3, 4, 5])
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"op_code":4,"worker')
    again = open_study(file, "sru-xc7")
    again.tell(again.ask(DISTRIBUTIONS), [1, 2, 3, 4, 5])
    assert len(open_study(file, "sru-xc7").trials) == 2
    assert file.read_bytes().startswith(whole)
