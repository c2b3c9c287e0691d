"""Memory of downloads that hardly move: many open, each client taking a few bytes now and then."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import psutil

from bench.load import HOST
from bench.peers import nginx
from bench.processes import proportional_memory
from bench.results import Row
from bench.run import Run, temporary_folder, write_content
from bench.service import countermark
from bench.uploads import put_file

_COUNT = 2000
_SIZE = 64 << 20
_REACH = 20_000  # bytes
_SECONDS = 6
_SIP = 2048


def rows(run: Run) -> Iterator[Row]:
    """Growth of the sending processes' proportional memory, by the number of open downloads."""
    with temporary_folder() as folder:
        content = folder / "content.bin"
        write_content(content, _SIZE)
        with nginx(folder / "nginx", folder) as peer, countermark(folder / "ours") as ours:
            target = ours.link(put_file(run, ours, content))
            count = _COUNT // run.scale
            mine = _growth(ours.edges(), ours.edge_port, target, count)
            theirs = _growth(peer.workers(), peer.port, f"/{content.name}", count)
    what = f"memory of each of {count:,} slow downloads"
    texts = (f"{mine / 1e3:,.1f} kB", f"{theirs / 1e3:,.1f} kB")
    yield Row(what, *texts, mine / theirs, f"≤ {_REACH / 1e3:g} kB", mine <= _REACH)


def _growth(processes: Sequence[psutil.Process], port: int, target: str, count: int) -> float:
    with ExitStack() as stack:
        # A few first, so that what a process loads once is not counted as a download's.
        for _ in range(2 * len(processes)):
            stack.enter_context(_open(port, target))
        before = proportional_memory(processes)
        clients = [stack.enter_context(_open(port, target)) for _ in range(count)]
        _sip(clients)
        return (proportional_memory(processes) - before) / count


def _open(port: int, target: str) -> socket.socket:
    client = socket.socket()
    # A small window, set before the connection exists, keeps the sender waiting.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((HOST, port))
    client.sendall(f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    if not client.recv(_SIP).startswith(b"HTTP/1.1 200 "):
        raise RuntimeError("a slow download was not answered with 200")
    return client


def _sip(clients: Sequence[socket.socket]) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        for client in clients:
            if not client.recv(_SIP):
                raise RuntimeError("a slow download ended early")
        time.sleep(0.1)
