"""Logs: whatever tears, what was whole before it is kept; other files are left alone."""

import pytest

from lowtide.formats import IllegalValue
from lowtide_studies.engine_training.log import Log

IDENTITY = {"steps": 5, "schedule": "adaptive"}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "folder" / "run.log"
    log = Log(path, IDENTITY)
    for n in range(4):
        log.append({"n": n})
    return path


def entries(path):
    return [entry["n"] for entry in Log(path, IDENTITY).entries]


def test_a_log_has_what_was_appended(path):
    assert entries(path) == [0, 1, 2, 3]
    Log(path, IDENTITY).append({"n": 4})
    assert entries(path) == [0, 1, 2, 3, 4]


def test_torn_anywhere_it_keeps_all_whole_lines(path):
    whole = path.read_bytes()
    ends = [n for n, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert len(entries(path)) == max(sum(end < length for end in ends) - 1, 0)
        Log(path, IDENTITY).append({"n": 9})
        assert entries(path)[-1] == 9


def test_what_follows_a_damaged_line_is_dropped(path):
    held = bytearray(path.read_bytes())
    held[held.index(b'{"n":1}') + 5] ^= 1
    path.write_bytes(held)
    assert entries(path) == [0]
    assert path.read_bytes().count(b"\n") == 2


def test_rewinding_is_lasting(path):
    log = Log(path, IDENTITY)
    log.rewind(2)
    log.append({"n": 7})
    assert entries(path) == [0, 1, 7]


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        (IDENTITY | {"steps": 6}, "steps must be 5, as in {}, or the log another file, not 6"),
        (IDENTITY | {"seed": 1}, "seed must be None, as in {}, or the log another file, not 1"),
        ({"steps": 5}, "schedule must be 'adaptive', as in {}, or the log another file, not None"),
    ],
)
def test_a_log_of_another_run_is_refused_and_left_alone(path, identity, message):
    before = path.read_bytes()
    with pytest.raises(IllegalValue) as error:
        Log(path, identity)
    assert str(error.value) == message.format(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_log_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader,\n", encoding="utf-8")
    with pytest.raises(IllegalValue, match="log must be a log of lowtide train, or no file yet, not"):
        Log(path, IDENTITY)
    assert path.read_text(encoding="utf-8") == "Dear reader,\n"
