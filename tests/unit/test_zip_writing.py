"""Archives of files that are made already."""

import zipfile
from pathlib import Path

import pytest

from countermark.media.zip_archive import is_zip
from countermark.media.zip_writing import write_zip


def test_an_archive_holds_the_files_byte_for_byte_and_is_the_same_each_time(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"one" * 1000)
    other.write_bytes(b"")
    path = tmp_path / "made.zip"
    size = write_zip(path, [("a/one.jpg", one), ("ä.jpg", other)])
    first = path.read_bytes()
    assert size == len(first)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a/one.jpg", "ä.jpg"]
        assert archive.read("a/one.jpg") == one.read_bytes()
    assert b"one" * 1000 in first
    one.touch()
    write_zip(path, [("a/one.jpg", one), ("ä.jpg", other)])
    assert path.read_bytes() == first
    with path.open("rb", buffering=0) as file:
        assert is_zip(file)


@pytest.mark.parametrize("name", ["/a", "../a", "a/../b", "a//b", "", "a\\b", "./a"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a"
    file.touch()
    with pytest.raises(ValueError, match="not a name"):
        write_zip(tmp_path / "made.zip", [(name, file)])
