"""An edge of its own process under many connections that mean no good: others are served."""

import asyncio
import contextlib
import resource
import selectors
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.links.link import mint
from countermark.storage.local import LocalStore
from support.edge import TESTS
from support.links import RING, link
from support.ports import free_port
from support.sources import source

MIB = 1 << 20
LARGE = 32 * MIB
# Far above what an answer takes on a busy machine, far below what a stuck edge would.
PROMPT_SECONDS = 5.0
PATH = mint(link(size=LARGE), RING)

_EDGE = """
import asyncio, resource, sys
from pathlib import Path
from support.links import RING
from countermark.edge.limits import Limits
from countermark.edge.parts import EdgeParts
from countermark.edge.serve import serve
from countermark.storage.local import LocalStore

# As a shell starts it.
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
root, port, idle, most = sys.argv[1:]
parts = EdgeParts(store=LocalStore(Path(root)), ring=lambda: RING, trusted_proxies=(),
                  max_upload_bytes=1 << 40, api_url="http://api.example")
limits = Limits(idle_seconds=float(idle), max_connections=int(most))
asyncio.run(serve(parts, "127.0.0.1", int(port), limits=limits))
"""


@contextlib.contextmanager
def loaded_edge(root: Path, *, idle_seconds: float = 60, most: int = 10_000) -> Iterator[int]:
    """Run an edge that has the large file; gives its port."""
    asyncio.run(LocalStore(root).put(link().blob_key, source(*[bytes(MIB)] * (LARGE // MIB))))
    port = free_port()
    arguments = [str(root), str(port), str(idle_seconds), str(most)]
    edge = subprocess.Popen([sys.executable, "-c", _EDGE, *arguments], cwd=TESTS)
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            assert edge.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
    finally:
        edge.kill()
        edge.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def connected(port: int, sent: bytes = b"") -> socket.socket:
    client = socket.socket()
    # A small window: a client that does not read holds the edge up early.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.sendall(sent)
    return client


@contextlib.contextmanager
def crowd(port: int, count: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(connected(port, sent)) for _ in range(count)]


def assert_others_are_served(port: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{PATH}", headers={"Range": "bytes=5-9"}
    )
    for _ in range(10):
        with urllib.request.urlopen(request, timeout=PROMPT_SECONDS) as answer:
            assert (answer.status, answer.read()) == (206, bytes(5))


def are_closed(clients: list[socket.socket], seconds: float, drip: bytes = b"") -> bool:
    """Whether the other side closes all within the time; until then each sends the drip often."""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for client in clients:
            client.settimeout(0)
            selector.register(client, selectors.EVENT_READ)
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(0.05):
                if is_closed(key.fileobj):  # type: ignore[arg-type]  # only sockets are registered
                    selector.unregister(key.fileobj)
            for key in list(selector.get_map().values()):
                with contextlib.suppress(OSError):
                    key.fileobj.send(drip)  # type: ignore[union-attr]  # as above
        return not selector.get_map()


def is_closed(client: socket.socket) -> bool:
    try:
        return not client.recv(65_536)
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.fixture(autouse=True)
def _enough_descriptors() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 8192:
        pytest.skip("needs leave to open 8,192 files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def test_thousands_of_idle_connections_stop_nobody(tmp_path: Path) -> None:
    with loaded_edge(tmp_path) as port, crowd(port, 3000):
        assert_others_are_served(port)


def test_heads_that_drip_are_cut_off_however_steadily(tmp_path: Path) -> None:
    begun = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "
    with loaded_edge(tmp_path, idle_seconds=1) as port, crowd(port, 300, begun) as clients:
        assert_others_are_served(port)
        assert are_closed(clients, 20, drip=b"x")


def test_huge_heads_are_cut_off_and_stop_nobody(tmp_path: Path) -> None:
    huge = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 60_000
    with loaded_edge(tmp_path) as port, crowd(port, 300, huge) as clients:
        assert_others_are_served(port)
        assert are_closed(clients, 20)


def test_clients_that_hardly_read_stop_nobody(tmp_path: Path) -> None:
    asking = f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with loaded_edge(tmp_path) as port, crowd(port, 1000, asking) as clients:
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 200"
        assert_others_are_served(port)


def test_beyond_the_limit_idle_connections_end_and_downloads_go_on(tmp_path: Path) -> None:
    asking = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with loaded_edge(tmp_path, most=100) as port, connected(port, asking) as download:
        received = len(download.recv(1))
        with crowd(port, 120) as clients:
            assert are_closed(clients, 20)
        assert_others_are_served(port)
        while data := download.recv(MIB):
            received += len(data)
        assert received > LARGE


def test_a_kept_connection_ends_after_its_idle_time(tmp_path: Path) -> None:
    asking = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with loaded_edge(tmp_path, idle_seconds=1) as port, connected(port, asking) as client:
        assert client.recv(12) == b"HTTP/1.1 200"
        assert are_closed([client], 20)
