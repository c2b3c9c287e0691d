"""SIGKILL at any moment: no half file visible, no finished upload lost, no orphan for ever."""

import contextlib
import os
import random
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from support.media import make_video
from support.service import Service, descendants, running, until

pytestmark = pytest.mark.e2e

ROUNDS = 6


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path) as service:
        yield service


def test_a_finished_upload_survives_the_death_of_everything(
    service: Service, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "video.mp4", seconds=2.0)
    chance = random.Random(20261122)  # noqa: S311 - a repeatable choice of moments
    for number in range(ROUNDS):
        upload = service.announce(f"round-{number}.mp4")
        with video.open("rb") as content:
            assert service.post(upload, content).status_code == 201
        assert service.finish(upload).status_code == 200
        # From before the worker heard of it until well after it is done.
        threading.Event().wait(chance.uniform(0, 0.6))
        service.kill()
        service.start()
        assert service.ended(upload)["status"] == "COMPLETED"
        file = service.file(upload["file"]["id"])
        assert service.http.get(service.link(file["id"])).content == video.read_bytes()
    _only_files_are_left(service, ROUNDS)


def test_an_edge_killed_in_the_middle_of_a_post_leaves_nothing_visible(
    service: Service,
) -> None:
    upload = service.announce("half.mp4")
    with _post_that_stays_open(upload):
        partial = service.data_dir / "blobs" / ".partial"
        until(lambda: any(partial.glob("*")), what="bytes of the post on disk")
        service.kill()
    service.start()
    assert service.finish(upload).status_code == 400
    assert service.call("GET", "/files/", params={"type": "file"}).json()["total"] == 0
    # The same form still works: nothing was spoilt.
    assert service.post(upload, b"whole this time").status_code == 201
    assert service.finish(upload).status_code == 200
    assert service.ended(upload)["status"] == "COMPLETED"


def test_every_process_is_started_again(service: Service) -> None:
    assert service.process is not None
    first = descendants(service.process.pid)
    for pid in first:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: _answers(service), what="API and edge to answer again")
    upload = service.announce("after.txt")
    assert service.post(upload, b"still here").status_code == 201
    assert service.finish(upload).status_code == 200
    assert service.ended(upload)["status"] == "COMPLETED"


def test_processes_end_with_a_killed_service(service: Service) -> None:
    assert service.process is not None
    children = descendants(service.process.pid)
    assert len(children) >= 4  # API with its workers, edge, worker
    service.process.kill()
    service.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), what="the end")
    service.start()


def test_an_upload_never_finished_ends_and_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path, upload_lifetime="2") as service:
        upload = service.announce("abandoned.bin")
        assert service.post(upload, b"x" * 100_000).status_code == 201
        assert service.ended(upload)["status"] == "FAILED"
        incoming = service.data_dir / "blobs" / "incoming"
        until(lambda: not [p for p in incoming.rglob("*") if p.is_file()], what="parts to go")


def _answers(service: Service) -> bool:
    try:
        urls = [f"{service.edge}/health", service.api.replace("/v1", "/health")]
        return all(service.http.get(url).status_code == 200 for url in urls)
    except httpx.HTTPError:
        return False


def _only_files_are_left(service: Service, count: int) -> None:
    blobs = service.data_dir / "blobs"

    def tidy() -> bool:
        found = [path for path in blobs.rglob("*") if path.is_file() and path.suffix != ".poster"]
        kept = [path.relative_to(blobs).parts[0] for path in found]
        return kept == ["files"] * count

    until(tidy, what=f"only {count} finished blobs to be left")


@contextlib.contextmanager
def _post_that_stays_open(upload: dict[str, Any]) -> Iterator[None]:
    """Send the head of a post and half of its bytes, and keep the connection open."""
    url = urlsplit(upload["form_post_url"])
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in upload["form_post_params"].items()
    )
    parts += '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    head = (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 90000000\r\n\r\n"
    )
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.sendall((head + parts).encode() + b"x" * 8_000_000)
        yield
