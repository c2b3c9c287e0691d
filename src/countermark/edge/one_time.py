"""One-time links: who has one, and how much of the file has arrived there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from countermark.edge.connection import Unacknowledged, unacknowledged
from countermark.edge.sending import STALL_SECONDS
from countermark.edge.transfers import Transfer
from countermark.errors import LinkSpentError, UnavailableError
from countermark.links.ledger import Ledger
from countermark.links.one_time import claim, deliver

log = structlog.get_logger(__name__)

REPORT_SECONDS = 4.0
_FIRST_WAIT_SECONDS = 0.005
_LONGEST_WAIT_SECONDS = 0.5


class OneTime:
    """What this edge has to do with one-time links.

    Args:
        ledger: where their use is kept.
        window_s: for how long a download that stopped may be resumed.
    """

    def __init__(self, ledger: Ledger, window_s: float) -> None:
        self._ledger = ledger
        self._window_s = window_s

    @asynccontextmanager
    async def used(self, transfer: Transfer) -> AsyncIterator[None]:
        """Let the transfer run for the time of the block, and note what of it arrives.

        Raises:
            LinkSpentError: the download is complete, given up, or another client's.
            UnavailableError: the ledger does not answer.
        """
        link = transfer.link
        fingerprint = transfer.client.fingerprint(link.serial)
        asked = claim(fingerprint, link.size, self._window_s, link.expires_at)
        if not await self._ledger.revise(_key(transfer), asked):
            raise LinkSpentError
        with unacknowledged(transfer.socket) as pending:
            reporting = asyncio.create_task(self._report_always(transfer, fingerprint, pending))
            try:
                yield
                await _arrived(transfer, pending)
            finally:
                reporting.cancel()
                await self._report(transfer, fingerprint, pending)

    async def _report_always(
        self, transfer: Transfer, fingerprint: str, pending: Unacknowledged
    ) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            await self._report(transfer, fingerprint, pending)

    async def _report(self, transfer: Transfer, fingerprint: str, pending: Unacknowledged) -> None:
        spans = without_last(transfer.spans, pending.bytes())
        link = transfer.link
        try:
            await self._ledger.revise(
                _key(transfer), deliver(fingerprint, spans, link.size, link.expires_at)
            )
        except UnavailableError:
            log.warning("what a one-time link delivered could not be noted", exc_info=True)


def without_last(spans: list[list[int]], count: int) -> list[tuple[int, int]]:
    """The spans without their last `count` bytes."""
    kept: list[tuple[int, int]] = []
    for start, stop in reversed(spans):
        cut = min(count, stop - start)
        count -= cut
        if stop - cut > start:
            kept.append((start, stop - cut))
    return kept[::-1]


def _key(transfer: Transfer) -> str:
    return f"once/{transfer.link.serial}"


async def _arrived(transfer: Transfer, pending: Unacknowledged) -> None:
    """Wait until the client has all, or is gone: what was sent last is still on its way."""
    wait = _FIRST_WAIT_SECONDS
    with suppress(TimeoutError):
        async with asyncio.timeout(STALL_SECONDS):
            while pending.bytes() and not transfer.connection.is_closing():
                await asyncio.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
