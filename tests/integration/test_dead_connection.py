"""A client that vanishes without a word frees its slot, in a network of its own that is cut."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from countermark.links.parallel import LEASE_SECONDS

TESTS = Path(__file__).parents[1]

# Prints how many seconds after the cut another download of the same person may begin. The client
# reads all the time, or nothing, so that its window is closed.
_SCRIPT = """
import asyncio, os, socket, subprocess, sys, time
from pathlib import Path
from countermark.edge.admission import Gate, Policies
from countermark.links.client import Client
from countermark.links.ledger import open_ledger
from countermark.links.parallel import acquire, person_of
from countermark.storage.local import LocalStore
from support.edge import running_edge
from support.links import link

def loopback(state):
    subprocess.run(["ip", "link", "set", "lo", state], check=True)

async def read_all(loop, connection):
    while await loop.sock_recv(connection, 100_000):
        await asyncio.sleep(0.05)

async def main(root, reads):
    loop, ledger = asyncio.get_running_loop(), open_ledger(f"sqlite:///{root}/ledger.sqlite")
    gate = Gate(policies=Policies(ledger, 3600))
    async with running_edge(LocalStore(root / "blobs"), gate=gate) as edge:
        path = await edge.keep(bytes(64 << 20), parallel=0)
        connection = socket.create_connection(("127.0.0.1", edge.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.setblocking(False)
        head = f"GET {path} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
        await loop.sock_sendall(connection, head.encode())
        assert await loop.sock_recv(connection, 12) == b"HTTP/1.1 200"
        reading = asyncio.create_task(read_all(loop, connection)) if reads else None
        key = "parallel/" + person_of(link(), Client("127.0.0.1"))
        await asyncio.sleep(1)
        assert not await ledger.revise(key, acquire("other", "test", 0))
        loopback("down")
        cut = time.monotonic()
        while not await ledger.revise(key, acquire("other", "test", 0)):
            await asyncio.sleep(0.1)
        print(time.monotonic() - cut, flush=True)
        # The edge would let the download end, for which nobody can wait.
        os._exit(0)

loopback("up")
asyncio.run(asyncio.wait_for(main(Path(sys.argv[1]), sys.argv[2] == "reading"), 60))
"""


def _has_networks_of_its_own() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    try_out = ["unshare", "--map-root-user", "--net", "ip", "link", "set", "lo", "up"]
    return subprocess.run(try_out, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("client", ["reading", "paused"])
def test_a_client_that_vanishes_frees_its_slot_within_15_seconds(
    tmp_path: Path, client: str
) -> None:
    if not _has_networks_of_its_own():
        pytest.skip("needs unshare and ip, and the right to make a network namespace")
    answer = subprocess.run(
        ["unshare", "--map-root-user", "--net", sys.executable, "-c", _SCRIPT, tmp_path, client],
        cwd=TESTS, stdout=subprocess.PIPE, timeout=90, check=False,
    )  # fmt: skip
    assert answer.stdout
    assert float(answer.stdout) < LEASE_SECONDS
