"""Servers on loopback for files that lie elsewhere: HTTP that misbehaves on demand, and SFTP."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
USER, PASSWORD = "user", "pass/word"


@contextmanager
def http_server(handler: Handler) -> Iterator[str]:
    """Answer every request with the handler, in a thread of its own; gives the base URL."""

    async def start() -> tuple[web.AppRunner, str]:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"

    with _loop() as run:
        runner, url = run(start())
        try:
            yield url
        finally:
            run(runner.cleanup())


@contextmanager
def sftp_server(root: Path) -> Iterator[tuple[str, str]]:
    """Serve a folder by SFTP; gives host:port and the server key's fingerprint."""
    key = asyncssh.generate_private_key("ssh-ed25519")

    class Server(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            Server,
            "127.0.0.1",
            0,
            server_host_keys=[key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root).encode()),
        )

    with _loop() as run:
        server = run(start())
        try:
            yield f"127.0.0.1:{server.get_port()}", key.get_fingerprint("sha256")
        finally:
            server.close()
            run(server.wait_closed())


@contextmanager
def _loop() -> Iterator[Callable[..., Any]]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
