"""SeaweedFS with its S3 gate, as the peer for presigned reads."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.store import S3Store

from bench.load import HOST
from bench.processes import BIN, free_port, serving

_ACCESS, _SECRET = "bench", "of-the-bench"
_BUCKET = "bench"


@dataclass(frozen=True)
class Seaweed:
    """A running server: its S3 port."""

    port: int

    def presigned(self, name: str, content: bytes) -> str:
        """Keep an object, and give the target of a GET of it that is signed for an hour."""
        obstore.put(_bucket(f"{HOST}:{self.port}"), name, content)
        # The host is signed, too, and the load generator's requests name it without the port.
        parts = urlsplit(obstore.sign(_bucket(HOST), "GET", name, timedelta(hours=1)))
        return f"{parts.path}?{parts.query}"


def _bucket(host: str) -> S3Store:
    return S3Store(
        _BUCKET,
        endpoint=f"http://{host}",
        access_key_id=_ACCESS,
        secret_access_key=_SECRET,
        region="us-east-1",
        client_options={"allow_http": True},
    )


@contextmanager
def seaweed(folder: Path) -> Iterator[Seaweed]:
    """Run master, volume, filer and S3 gate in one process, as its own quick start does."""
    folder.mkdir()
    identity = {
        "name": "bench",
        "credentials": [{"accessKey": _ACCESS, "secretKey": _SECRET}],
        "actions": ["Admin"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    names = ("master", "volume", "filer", "s3")
    ports = {name: free_port() for name in names}
    command = [BIN / "weed", "-logdir", folder, "server", "-s3", f"-ip={HOST}", f"-dir={folder}"]
    options = [f"-s3.config={config}", "-volume.max=20", "-master.volumeSizeLimitMB=256"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    options += [f"-{name}.port={port}" for name, port in ports.items()]
    options += [f"-{name}.port.grpc={free_port()}" for name in names]
    with serving([*command, *options], list(ports.values()), folder):
        yield Seaweed(ports["s3"])
