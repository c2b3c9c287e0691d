"""An edge as a process: told to stop it lets transfers end, killed it leaves nothing half."""

import asyncio
import signal
import socket
import subprocess
import time
from pathlib import Path

from countermark.links.link import mint
from countermark.links.policy import form
from countermark.storage.local import LocalStore
from support.edge import edge_process
from support.links import RING, link, policy
from support.ports import free_port
from support.sources import source

SIZE = 64 << 20


def connected(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    # A small window, so that most of the file is still to be sent.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    return connection


def begun_download(root: Path, url: str) -> tuple[socket.socket, int]:
    """Ask for a large file and read its first bytes; gives what was read beyond the head."""
    asyncio.run(LocalStore(root).put(link().blob_key, source(*[b"x" * (1 << 20)] * (SIZE >> 20))))
    connection = connected(url)
    path = mint(link(size=SIZE), RING)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(4096)
    return connection, len(received.partition(b"\r\n\r\n")[2])


def begin_upload(url: str, root: Path) -> socket.socket:
    """Send half an upload, and return when some of it is on disk."""
    fields = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form(policy(), RING).items()
    )
    head = f"POST /uploads/{policy().upload_id} HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE}\r\n"
    connection = connected(url)
    connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode())
    connection.sendall(fields + b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n')
    connection.sendall(b"x" * (8 << 20))
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size for path in (root / ".partial").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return connection


async def visible(root: Path) -> list[str]:
    return [blob.key async for blob in LocalStore(root).list("")]


def test_told_to_stop_it_lets_a_transfer_end(tmp_path: Path) -> None:
    with edge_process(tmp_path) as (process, url):
        connection, received = begun_download(tmp_path, url)
        process.send_signal(signal.SIGTERM)
        _wait_until_refused(url)
        while data := connection.recv(1 << 20):
            received += len(data)
        assert received == SIZE
        assert process.wait(30) == 0


def test_told_to_stop_when_idle_it_stops_at_once(tmp_path: Path) -> None:
    with edge_process(tmp_path) as (process, url):
        idle = connected(url)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 5
        idle.close()


def test_killed_in_an_upload_it_leaves_nothing_visible_and_starts_again(tmp_path: Path) -> None:
    port = free_port()
    with edge_process(tmp_path, port) as (process, url):
        connection = begin_upload(url, tmp_path)
        process.kill()
        process.wait()
        connection.close()
    assert asyncio.run(visible(tmp_path)) == []
    with edge_process(tmp_path, port):
        assert asyncio.run(LocalStore(tmp_path).sweep(0)) == 1
        assert asyncio.run(visible(tmp_path)) == []


def test_two_edges_share_a_port(tmp_path: Path) -> None:
    with edge_process(tmp_path) as (_, url):
        port = int(url.rpartition(":")[2])
        with edge_process(tmp_path, port) as (second, _):
            assert second.poll() is None


def _wait_until_refused(url: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            connected(url).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)
    raise subprocess.TimeoutExpired("edge", 10)
