"""Errors of loading a bitstream, each in one line."""

import hashlib
import json

import pytest

from lowtide.cli import main
from lowtide_boards.targets import flash as flashing
from lowtide_boards.targets.board import BoardError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lowtide-ulx3s.bit"
    path.write_bytes(b"bits")
    digest = hashlib.sha256(b"bits").hexdigest()
    (tmp_path / "lowtide-ulx3s.json").write_text(json.dumps({"sha256": digest}))
    return path


@pytest.fixture
def says(tmp_path, monkeypatch):
    """An openFPGALoader that prints something and fails, or not."""

    def install(text: str, code: int) -> None:
        script = tmp_path / "openFPGALoader"
        script.write_text(f"#!/bin/sh\ncat <<'end'\n{text}\nend\necho \"$@\" > {tmp_path}/asked\nexit {code}\n")
        script.chmod(0o755)
        monkeypatch.setattr(flashing, "loader", lambda: str(script))

    return install


def test_no_bitstream(tmp_path):
    with pytest.raises(BoardError, match=r"no bitstream for ulx3s in .*lowtide board build --board ulx3s"):
        flashing.bitstream_in(tmp_path, "ulx3s")


def test_a_changed_bitstream(tmp_path, file):
    assert flashing.bitstream_in(tmp_path, "ulx3s") == file
    file.write_bytes(b"bit")
    with pytest.raises(BoardError, match=r"does not match lowtide-ulx3s.json"):
        flashing.bitstream_in(tmp_path, "ulx3s")


@pytest.mark.parametrize("facts", [b"", b"[]", b"null", b'{"sha256": null}', b"[" * 100_000, b"\xfc", b"1" * 5000])
def test_a_malformed_json_file(tmp_path, file, facts):
    (tmp_path / "lowtide-ulx3s.json").write_bytes(facts)
    with pytest.raises(BoardError, match=rf"does not match .*; build both with: .* --board ulx3s -o {tmp_path}$"):
        flashing.bitstream_in(tmp_path, "ulx3s")


def test_a_folder_to_read_from_is_no_output(tmp_path, file, says, capsys):
    says("done", 0)
    with pytest.raises(SystemExit) as exit_:
        main(["board", "flash", "--folder", str(tmp_path)])
    assert (exit_.value.code, capsys.readouterr().out) == (0, f"loaded {file} onto ULX3S (85F)\n")
    for option in ("-o", "--output"):
        with pytest.raises(SystemExit) as exit_:
            main(["board", "flash", option, str(tmp_path)])
        assert exit_.value.code == 2
        assert capsys.readouterr().err.startswith(f"lowtide: No such option '{option}'")


def test_no_loader(monkeypatch):
    monkeypatch.setattr(flashing.shutil, "which", lambda _: None)
    monkeypatch.setattr(flashing, "find_spec", lambda _: None)
    with pytest.raises(BoardError, match=r"pip install 'lowtide\[flash\]'"):
        flashing.loader()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("unable to open ftdi device: -3 (device not found)", r"ULX3S \(85F\) not found: no USB device 0403:6015"),
        ("unable to open ftdi device: -4 (usb_open() failed)", r'no permission .* ATTR\{idProduct\}=="6015"'),
        (
            "openFPGALoader: error while loading shared libraries: libftdi1.so.2: cannot open shared object file",
            r"needs libftdi1.so.2; install the distribution's packages .*libftdi1-2",
        ),
        ("something else\nthe last word", "openFPGALoader failed: the last word"),
    ],
)
def test_complaints(says, file, said, line):
    says(said, 1)
    with pytest.raises(BoardError, match=line):
        flashing.flash("ulx3s", file)


def test_arguments_of_the_loader(says, file, tmp_path):
    says("done", 0)
    heard = []
    flashing.flash("ulx3s", file, show=heard.append)
    assert (tmp_path / "asked").read_text().split() == ["-b", "ulx3s", str(file)]
    assert "".join(heard) == "done\n"
    flashing.flash("ulx3s", file, keep=True)
    assert "-f" in (tmp_path / "asked").read_text().split()


def test_interrupted(says, file):
    says("loading", 0)

    def interrupt(_text):
        raise KeyboardInterrupt

    with pytest.raises(BoardError, match=r"the bitstream may be incomplete; .*lowtide board flash --board ulx3s"):
        flashing.flash("ulx3s", file, show=interrupt)
