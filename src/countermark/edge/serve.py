"""Runs an edge until it is told to stop, then lets what is under way end."""

import asyncio
import signal

from aiohttp import web

from countermark.edge.app import build_app
from countermark.edge.limits import Limits, most_connections, raise_descriptor_limit, watched
from countermark.edge.parts import EdgeParts
from countermark.edge.protocol import Runner

# What is under way at the stop gets this long to end.
DRAIN_SECONDS = 30.0
# After an answer that came before the body's end, so that the client sees it before the close.
LINGER_SECONDS = 5.0
# A link with the longest name, percent-encoded, takes about 5,000.
MAX_LINE_BYTES = 8190
MAX_HEADERS = 64
BACKLOG = 1024
DEFAULTS = Limits()


async def serve(
    parts: EdgeParts,
    host: str,
    port: int,
    *,
    limits: Limits = DEFAULTS,
    reuse_port: bool = True,
) -> None:
    """Serve until SIGTERM or SIGINT, then stop accepting and drain for up to 30 seconds.

    Args:
        parts: what the edge is made of.
        host: the address to listen on.
        port: TCP port.
        limits: of its connections.
        reuse_port: let several processes listen on the same port; the kernel spreads connections.

    Raises:
        OSError: the address cannot be listened on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = build_runner(parts, limits)
    most = most_connections(limits.max_connections, raise_descriptor_limit())
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, reuse_port=reuse_port or None, backlog=BACKLOG)
        await site.start()
        async with watched(runner, most):
            await stop.wait()
    finally:
        await runner.cleanup()


def build_runner(parts: EdgeParts, limits: Limits = DEFAULTS) -> web.AppRunner:
    """The app with the limits of its connections."""
    return Runner(
        build_app(parts),
        access_log=None,
        keepalive_timeout=limits.idle_seconds,
        lingering_time=LINGER_SECONDS,
        shutdown_timeout=DRAIN_SECONDS,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        max_headers=MAX_HEADERS,
        # A compressed body would be unpacked before any limit counts it.
        auto_decompress=False,
    )
