"""Ends running transfers whose link was revoked after they began."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from aiohttp import web

from countermark.edge.parts import PARTS, EdgeParts

log = structlog.get_logger(__name__)

# Looking at 1,000 transfers takes a millisecond.
LOOK_SECONDS = 1.0


async def ending_revoked(app: web.Application) -> AsyncIterator[None]:
    """Look as long as the app runs; a cleanup context of aiohttp's."""
    looking = asyncio.create_task(_look(app[PARTS]))
    yield
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking


async def _look(parts: EdgeParts) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        ended = parts.transfers.end_where(
            lambda transfer: parts.gate.revoked(transfer.link) is not None
        )
        if ended:
            log.info("ended downloads of revoked links", downloads=ended)
