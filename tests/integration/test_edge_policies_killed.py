"""Two edge processes that share a ledger, one of them killed in the middle."""

import asyncio
import contextlib
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from countermark.links.link import mint
from countermark.links.parallel import LEASE_SECONDS
from countermark.storage.local import LocalStore
from support.edge import edge_process
from support.links import LINK, RING, link
from support.sources import source

SIZE = 64 << 20


def keep(root: Path) -> None:
    pieces = [b"x" * (1 << 20)] * (SIZE >> 20)
    asyncio.run(LocalStore(root).put(LINK.blob_key, source(*pieces)))


def path_of(**policies: object) -> str:
    return mint(link(size=SIZE, **policies), RING)


@contextlib.contextmanager
def half_read(url: str, path: str) -> Iterator[socket.socket]:
    """A download of which the client has read only the first bytes."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield connection


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_killed_edge_frees_its_slots_and_spends_no_link(tmp_path: Path, ledger_url: str) -> None:
    root = tmp_path / "blobs"
    keep(root)
    with (
        edge_process(root, ledger_url=ledger_url) as (doomed, first),
        edge_process(root, ledger_url=ledger_url) as (_, second),
    ):
        limited = [path_of(parallel=0, serial=str(number)) for number in range(2)]
        once = path_of(once=True, guarded=True, serial="once")
        with half_read(first, limited[0]), half_read(first, once):
            assert status_of(second + limited[1]) == 429
            doomed.send_signal(signal.SIGKILL)
            doomed.wait()
            killed = time.monotonic()
            # Both downloads of the link that works once were begun, and none is done.
            assert status_of(second + once) == 200
            while status_of(second + limited[1]) == 429:
                assert time.monotonic() - killed < LEASE_SECONDS + 1
                time.sleep(0.2)
        assert status_of(second + once) == 410
