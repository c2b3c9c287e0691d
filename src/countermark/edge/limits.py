"""What keeps some clients' connections from standing in the way of all others'."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

# How often connections are counted. The descriptors spared below last for longer than this.
WATCH_SECONDS = 1.0
# For logs, databases, the listening socket, and connections that came since the last count.
_SPARED_DESCRIPTORS = 256
# A connection's socket, and the file that it is sent from or written to.
_DESCRIPTORS_EACH = 2


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one edge.

    Attributes:
        idle_seconds: a connection without a request, or one whose request's head is still not
            whole after this, is closed, however steadily it drips.
        max_connections: from here on, connections without a request are closed at once.
    """

    idle_seconds: float = 60
    max_connections: int = 10_000


def raise_descriptor_limit() -> int:
    """Let this process open as many files as it may (the usual 1,024 are few); returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where no number is allowed beyond what there was, the old one stays.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def most_connections(wanted: int, descriptors: int) -> int:
    """How many connections so many descriptors are enough for, `wanted` at most, 1 at least."""
    if descriptors == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (descriptors - _SPARED_DESCRIPTORS) // _DESCRIPTORS_EACH))


@asynccontextmanager
async def watched(runner: web.AppRunner, most: int) -> AsyncIterator[None]:
    """Close the runner's idle connections whenever it has `most` or more of all."""
    watching = asyncio.create_task(_watch(runner, most))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def _watch(runner: web.AppRunner, most: int) -> None:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        connections = runner.server.connections if runner.server else []
        if len(connections) >= most:
            idle = [each for each in connections if _is_idle(each)]
            log.warning("too many connections", count=len(connections), idle_closed=len(idle))
            for connection in idle:
                connection.force_close()


def _is_idle(connection: web.RequestHandler) -> bool:
    # To note it in a middleware would add 3 kB to what each slow download holds.
    return connection._current_request is None  # noqa: SLF001 - aiohttp tells it in no other way
