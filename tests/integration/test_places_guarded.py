"""Nobody reaches into the worker's own network, by whatever way."""

import asyncio
import socket
import threading
from pathlib import Path
from urllib.parse import quote

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from countermark.errors import PlaceInvalidError, PlacePrivateError, PlaceUnreachableError
from countermark.work.places.guarded import guarded_proxy
from countermark.work.places.transfer import TransferLimits, fetch, send

QUICK = TransferLimits(internal=True, stall_seconds=5, retry_seconds=0.01)


def ignore(_done: int, _size: int | None) -> None:
    pass


@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.1/a",
        "https://[::1]:8080/a",
        "https://10.1.2.3/a",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/a",
        "https://[::ffff:127.0.0.1]/a",
        "https://2130706433/a",
        "s3://bucket/key?endpoint=https://127.0.0.1:9000",
        "s3://bucket/key?endpoint=https://localhost",
        "sftp://user:secret@127.0.0.1/a?host_key=SHA256:abc",
        "sftp://user:secret@localhost/a?host_key=SHA256:abc",
    ],
)
def test_nobody_reaches_into_the_worker_s_network(tmp_path: Path, uri: str) -> None:
    limits = QUICK._replace(internal=False)
    with pytest.raises((PlacePrivateError, PlaceInvalidError, PlaceUnreachableError)) as caught:
        fetch(uri, tmp_path / "input", limits, ignore)
    assert "secret" not in str(caught.value)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with pytest.raises((PlacePrivateError, PlaceInvalidError, PlaceUnreachableError)):
        send(uri, file, limits, ignore)


@pytest.mark.parametrize("internal", [True, False])
async def test_a_guarded_client_connects_only_where_it_may(*, internal: bool) -> None:
    received: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    # As behind a redirect, or a name that has got another address: nobody has checked it before.
    endpoint = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    async with server, guarded_proxy(internal=internal) as proxy:
        store = S3Store(
            "bucket",
            config={"endpoint": endpoint, "region": "x", "skip_signature": True},
            client_options={"proxy_url": proxy},
            retry_config={"max_retries": 0},
        )
        with pytest.raises(BaseError):
            await obstore.head_async(store, "a")
    handshake = b"\x16\x03"
    assert [data[:2] for data in received] == ([handshake] if internal else [])


def test_s3_is_reached_through_the_guarded_proxy(tmp_path: Path) -> None:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                seen.append(connection.recv(2))

        thread = threading.Thread(target=accept)
        thread.start()
        endpoint = quote(f"https://127.0.0.1:{server.getsockname()[1]}")
        limits = QUICK._replace(stall_seconds=1)
        with pytest.raises(PlaceUnreachableError):
            fetch(f"s3://bucket/a?endpoint={endpoint}", tmp_path / "a", limits, ignore)
        thread.join()
    assert seen == [b"\x16\x03"]
