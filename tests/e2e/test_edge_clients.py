"""curl, wget and aria2c against a bare edge: what they resume is byte-identical."""

import asyncio
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.links.link import mint
from countermark.links.policy import form
from countermark.storage.local import LocalStore
from support.edge import edge_process
from support.links import RING, link, policy
from support.programs import program
from support.sources import source

pytestmark = pytest.mark.e2e

CONTENT = os.urandom(24 << 20)
NAME = "Füße & 日本.mp4"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("edge")


@pytest.fixture(scope="module")
def edge(root: Path) -> Iterator[str]:
    with edge_process(root) as (_, url):
        yield url


@pytest.fixture(scope="module")
def url(edge: str, root: Path) -> str:
    asyncio.run(LocalStore(root).put(link().blob_key, source(CONTENT)))
    return edge + mint(link(name=NAME, size=len(CONTENT)), RING)


def run(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_curl_saves_under_the_name_of_the_header(url: str, tmp_path: Path) -> None:
    run(program("curl"), "-fsSOJ", url, folder=tmp_path)
    assert only_file(tmp_path).read_bytes() == CONTENT


def test_curl_resumes(url: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT[:1_234_567])
    run(program("curl"), "-fsS", "-C", "-", "-o", "x", url, folder=tmp_path)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_curl_asks_for_several_ranges(url: str, tmp_path: Path) -> None:
    answer = run(program("curl"), "-fsS", "-D-", "-o", "x", "-r", "0-9,100-", url, folder=tmp_path)
    assert "multipart/byteranges" in answer.stdout
    assert CONTENT[100:] in (tmp_path / "x").read_bytes()


def test_wget_names_the_file_well_and_resumes(url: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(CONTENT[:7_654_321])
    run(program("wget"), "-q", "-c", "--restrict-file-names=nocontrol", url, folder=tmp_path)
    assert only_file(tmp_path).name == NAME
    assert only_file(tmp_path).read_bytes() == CONTENT


def test_aria2c_with_sixteen_connections_puts_it_together(url: str, tmp_path: Path) -> None:
    run(
        program("aria2c", "aria2"), "-q", "-x16", "-s16", "-k1M", "-o", "x",
        "--file-allocation=none", url, folder=tmp_path,
    )  # fmt: skip
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_aria2c_passes_as_one_client_where_only_one_download_may_run(
    root: Path, tmp_path: Path
) -> None:
    asyncio.run(LocalStore(root).put(link().blob_key, source(CONTENT)))
    path = mint(link(size=len(CONTENT), parallel=0, guarded=True, once=True), RING)
    with edge_process(root, ledger_url=f"sqlite:///{tmp_path / 'ledger'}") as (_, edge):
        (tmp_path / "saved").mkdir()
        run(
            program("aria2c", "aria2"), "-q", "-x16", "-s16", "-k1M", "-o", "x",
            "--file-allocation=none", edge + path, folder=tmp_path / "saved",
        )  # fmt: skip
        assert (tmp_path / "saved" / "x").read_bytes() == CONTENT


@pytest.mark.parametrize("expect", ["100-continue", ""])
def test_curl_uploads(edge: str, root: Path, tmp_path: Path, expect: str) -> None:
    given = policy(upload_id=hashlib.md5(expect.encode(), usedforsecurity=False).hexdigest()[:24])
    (tmp_path / "clip.mp4").write_bytes(CONTENT)
    fields = [word for item in form(given, RING).items() for word in ("-F", "=".join(item))]
    answer = run(
        program("curl"), "-sS", "-w", "%{http_code}", "-H", f"Expect: {expect}", *fields,
        "-F", "file=@clip.mp4", f"{edge}/uploads/{given.upload_id}", folder=tmp_path,
    )  # fmt: skip
    assert answer.stdout == "201"
    (kept,) = (root / "incoming" / given.upload_id).glob("000000.[!j]*")
    assert kept.read_bytes() == CONTENT


def test_curl_sees_why_an_upload_is_refused(edge: str, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(CONTENT)
    fields = [word for item in form(policy(), RING).items() for word in ("-F", "=".join(item))]
    answer = run(
        program("curl"), "-sS", *fields, "-F", "file=@clip.mp4", f"{edge}/uploads/{'f' * 24}",
        folder=tmp_path,
    )  # fmt: skip
    assert "0x0240003" in answer.stdout
