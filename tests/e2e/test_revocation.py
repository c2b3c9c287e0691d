"""Deleted files, revoked links and revoked applications end on every edge within five seconds."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from support.scale import running_at_scale
from support.service import Service, descendants, running, until

pytestmark = pytest.mark.e2e

SIZE = 48 << 20
ENDS_SECONDS = 5.0
DOWNLOADS = 6


@pytest.fixture(scope="module", params=["one machine", "several"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    if request.param == "one machine":
        with running(folder, edges=2) as service:
            yield service
    else:
        with running_at_scale(folder, request.getfixturevalue("postgresql")) as service:
            yield service


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


def _command(service: Service, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "countermark", *arguments],
        env=service.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class SlowDownload:
    """A client that takes some 1 MB a second, and notes when it was cut off."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._socket.settimeout(30)
        self._socket.connect((parts.hostname, parts.port))
        self._socket.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert b" 200 " in self._socket.recv(15)
        self.received = 0
        self.ended_at: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.wait(0.015) and (piece := self._socket.recv(16_384)):
                self.received += len(piece)
        self.ended_at = time.monotonic()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()


@contextlib.contextmanager
def _downloading(url: str) -> Iterator[list[SlowDownload]]:
    downloads: list[SlowDownload] = []
    try:
        # The kernel spreads connections over the edges.
        while len(downloads) < DOWNLOADS:
            downloads.append(SlowDownload(url))
        yield downloads
    finally:
        for download in downloads:
            download.close()


def _statuses(service: Service, url: str) -> set[int]:
    """What the edges answer, each connection being maybe another edge's."""
    new = {"Connection": "close"}
    return {service.http.get(url, headers=new).status_code for _ in range(2 * DOWNLOADS)}


def _ends(service: Service, url: str, end: Callable[[], object], status: int) -> None:
    """Downloads of the link run until `end` is done, are cut off then, and never begin again."""
    with _downloading(url) as downloads:
        until(lambda: all(one.received for one in downloads), what="downloads to run")
        assert not any(one.ended_at for one in downloads)
        end()
        ended = time.monotonic()
        until(lambda: all(one.ended_at for one in downloads), 2 * ENDS_SECONDS, "downloads to end")
        assert all(one.ended_at - ended <= ENDS_SECONDS for one in downloads if one.ended_at)
        assert all(one.received < SIZE for one in downloads)
    assert _statuses(service, url) == {status}


def test_a_revoked_link_ends_and_the_file_s_other_links_hold(service: Service, film: Path) -> None:
    file = service.put_in(film)
    link, other = service.link(file["id"]), service.link(file["id"])
    _ends(service, link, lambda: _command(service, "link", "revoke", link), 410)
    assert service.http.get(other).content == film.read_bytes()


def test_an_edge_killed_and_started_again_knows_what_was_revoked(
    service: Service, tmp_path: Path
) -> None:
    small = tmp_path / "small.bin"
    small.write_bytes(b"x" * 1000)
    link = service.link(service.put_in(small)["id"])
    _command(service, "link", "revoke", link)
    _answers(service, link, 410)
    killed = _edges(service)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(_edges(service) - killed) == len(killed), what="edges to start again")
    until(lambda: _reached(service, link), what="an edge to answer")
    assert _statuses(service, link) == {410}


def _edges(service: Service) -> set[int]:
    assert service.process is not None
    found = set()
    for pid in descendants(service.process.pid):
        with contextlib.suppress(OSError):
            if b"\0serve\0edge\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


def _reached(service: Service, link: str) -> bool:
    try:
        answer = service.http.get(link, headers={"Connection": "close"})
    except httpx.TransportError:
        return False
    return answer.status_code == 410


def test_a_deleted_file_s_links_end(service: Service, film: Path) -> None:
    file = service.put_in(film)
    _ends(
        service,
        service.link(file["id"]),
        lambda: service.call("DELETE", f"/files/{file['id']}"),
        404,
    )


def test_a_revoked_application_s_links_end_and_another_s_hold(service: Service, film: Path) -> None:
    file = service.put_in(film)
    link = service.link(file["id"])
    client_id = service.credentials["client_id"]
    service.token = service.new_token(service.command_json("app", "create", "other", "--json"))
    held = service.link(file["id"])
    _ends(service, link, lambda: _command(service, "app", "revoke", client_id), 410)
    assert service.http.get(held).status_code == 200


def test_old_links_outlive_a_rotation_and_die_with_their_key(
    service: Service, tmp_path: Path
) -> None:
    small = tmp_path / "small.bin"
    small.write_bytes(b"x" * 1000)
    file = service.put_in(small)
    old = service.link(file["id"])
    assert "key 2 signs" in _command(service, "keys", "rotate")
    # Whatever key signs now, every edge knows it at once.
    for _ in range(10):
        assert service.http.get(service.link(file["id"])).status_code == 200
    assert service.http.get(old).status_code == 200
    with pytest.raises(AssertionError, match="--force"):
        _command(service, "keys", "retire", "1")
    _command(service, "keys", "retire", "1", "--force")
    until(
        lambda: _statuses(service, old) == {403},
        ENDS_SECONDS,
        "links of the retired key to end",
    )

    def holds() -> bool:
        link = service.link(file["id"])
        return _statuses(service, link) == {200}

    until(holds, ENDS_SECONDS, "new links to hold")


def test_a_list_that_is_added_is_in_force_on_every_edge_without_a_restart(
    service: Service, tmp_path: Path
) -> None:
    small, blocked = tmp_path / "small.bin", tmp_path / "blocked.txt"
    small.write_bytes(b"x" * 1000)
    blocked.write_text("127.0.0.0/8\n")
    file = service.put_in(small)
    link = service.link(file["id"], anti_fraud="true")
    assert service.http.get(link).status_code == 200
    _command(service, "lists", "add", "here", str(blocked), "--kind", "blacklist")
    _answers(service, link, 403)
    assert service.http.get(service.link(file["id"])).status_code == 200
    _command(service, "lists", "remove", "here")
    _answers(service, link, 200)


def _answers(service: Service, link: str, status: int) -> None:
    until(
        lambda: _statuses(service, link) == {status},
        ENDS_SECONDS,
        f"every edge to answer {status}",
    )
