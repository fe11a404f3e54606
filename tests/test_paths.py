"""Files and folders that a user names are refused in one line, and checking them changes nothing on disk."""

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lowtide.paths import PathError, check_output_file, check_output_folder, read_text

LONG = "n" * 300


@pytest.fixture
def here(tmp_path):
    """A folder with a file, a folder, a named pipe, and symbolic links to a folder, to nothing and to themselves."""
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "dangling").symlink_to("nowhere/file")
    (tmp_path / "loop").symlink_to("loop")
    before = listing(tmp_path)
    yield tmp_path
    assert listing(tmp_path) == before


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_size) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["folder", "folder/a/b", "link/a", "new", "a/../b", "."])
def test_writable_folders(here, name):
    check_output_folder(here / name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("file", "Not a directory"),
        ("file/below/it", "Not a directory"),
        ("pipe", "Not a directory"),
        ("dangling", "No such file or directory"),
        ("loop/a", "Too many levels of symbolic links"),
        (LONG, "File name too long"),
        (f"new/{LONG}", "File name too long"),
        ("/proc/lowtide/new", "No such file or directory"),
        ("a\0b", "not a legal name"),
        ("\ud800", "not a legal name"),
    ],
)
def test_unwritable_folders(here, name, reason):
    with pytest.raises(PathError, match=re.escape(f"cannot write into {here / name}: {reason}")) as error:
        check_output_folder(here / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["file", "new", "link/new", "a/b/new", "dangling"])
def test_writable_files(here, name):
    check_output_file(here / name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", "Is a directory"),
        ("link", "Is a directory"),
        ("pipe", "it is not a regular file"),
        ("/dev/null", "it is not a regular file"),
        ("file/below", "Not a directory"),
        ("loop", "Too many levels of symbolic links"),
        (LONG, "File name too long"),
        (f"new/{LONG}", "File name too long"),
        ("/proc/lowtide/new", "No such file or directory"),
        ("a\0b", "not a legal name"),
    ],
)
def test_unwritable_files(here, name, reason):
    with pytest.raises(PathError, match=re.escape(f"cannot write {here / name}: {reason}")):
        check_output_file(here / name)


@pytest.fixture
def protected():
    """A folder and a file in it that may be read alone, by a user who is no administrator."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "file").write_text("text")
        (folder / "file").chmod(0o444)
        folder.chmod(0o555)
        user = os.geteuid()
        os.seteuid(user or 65534)
        yield folder
        os.seteuid(user)
        folder.chmod(0o755)


def test_write_protected(protected):
    for file in ("file", "new"):
        with pytest.raises(PathError, match=f"cannot write .*{file}: Permission denied"):
            check_output_file(protected / file)
    for folder in (".", "new"):
        with pytest.raises(PathError, match=r"cannot write into .*: Permission denied"):
            check_output_folder(protected / folder)
    assert read_text(protected / "file", 100) == "text"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", "Is a directory"),
        ("pipe", "it is not a regular file"),
        ("/dev/zero", "it is not a regular file"),
        ("nowhere", "No such file or directory"),
        ("file/below", "Not a directory"),
        (LONG, "File name too long"),
        ("a\0b", "not a legal name"),
    ],
)
def test_unreadable_files(here, name, reason):
    with pytest.raises(PathError, match=re.escape(f"cannot read {here / name}: {reason}")):
        read_text(here / name, 100)


def test_text_of_a_file(tmp_path):
    file = tmp_path / "file"
    file.write_text("μ")
    assert read_text(file, 2) == "μ"
    with pytest.raises(PathError, match="the file must have at most 1 bytes"):
        read_text(file, 1)
    file.write_bytes("μ".encode("utf-16"))
    with pytest.raises(PathError, match="it is not UTF-8 text"):
        read_text(file, 100)
