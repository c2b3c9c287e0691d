"""Slots of parallel downloads that this edge holds, and renews while their clients live."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from countermark.edge.connection import silent_seconds, watch
from countermark.edge.transfers import Transfer
from countermark.errors import TooManyDownloadsError, UnavailableError
from countermark.links.ledger import Ledger
from countermark.links.parallel import acquire, download_of, person_of, release

log = structlog.get_logger(__name__)

# With a lease's 15 s, two renewals may fail. A dead client's slot is free after the two together.
RENEW_SECONDS = 4.0
SILENT_SECONDS = 8.0


class Slots:
    """The slots of this edge: one for each download, over all of its connections here."""

    def __init__(self, ledger: Ledger, *, renew_seconds: float = RENEW_SECONDS) -> None:
        self._ledger = ledger
        self._renew_seconds = renew_seconds
        self._holder = secrets.token_hex(8)
        self._slots: dict[str, _Slot] = {}

    @asynccontextmanager
    async def held(self, transfer: Transfer) -> AsyncIterator[None]:
        """Hold the transfer's slot for the time of the block.

        Raises:
            TooManyDownloadsError: too many others of this person run.
            UnavailableError: the ledger does not answer.
        """
        download = download_of(transfer.link, transfer.client)
        slot = self._slots.get(download)
        if slot is None:
            person = person_of(transfer.link, transfer.client)
            limit = transfer.link.parallel or 0
            slot = self._slots[download] = _Slot(
                self._ledger, person, download, self._holder, limit
            )
        slot.users += 1
        try:
            await slot.enter(transfer, self._renew_seconds)
            yield
        finally:
            try:
                await slot.leave(transfer)
            finally:
                slot.users -= 1
                if not slot.users:
                    del self._slots[download]


class _Slot:
    def __init__(self, ledger: Ledger, person: str, download: str, holder: str, limit: int) -> None:
        self.users = 0
        self._ledger = ledger
        self._key = f"parallel/{person}"
        self._acquire = acquire(download, holder, limit)
        self._release = release(download, holder)
        self._transfers: set[Transfer] = set()
        self._renewing: asyncio.Task[None] | None = None
        # One at a time: what is overtaken by a release would lose its slot.
        self._turn = asyncio.Lock()

    async def enter(self, transfer: Transfer, renew_seconds: float) -> None:
        async with self._turn:
            if not await self._ledger.revise(self._key, self._acquire, durable=False):
                raise TooManyDownloadsError
            self._transfers.add(transfer)
            if (connection := transfer.socket) is not None:
                with suppress(OSError):
                    watch(connection)
            if self._renewing is None:
                self._renewing = asyncio.create_task(self._renew(renew_seconds))

    async def leave(self, transfer: Transfer) -> None:
        async with self._turn:
            self._transfers.discard(transfer)
            if self._renewing is None or self._transfers:
                return
            self._renewing.cancel()
            self._renewing = None
            # If it fails, the slot becomes free as the lease ends.
            with suppress(UnavailableError):
                await self._ledger.revise(self._key, self._release, durable=False)

    async def _renew(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            async with self._turn:
                try:
                    await self._keep_or_end()
                except UnavailableError:
                    log.warning("a slot could not be renewed", exc_info=True)

    async def _keep_or_end(self) -> None:
        """Keep the slot while a client of it lives; without it, let nothing more pass."""
        if not any(_lives(transfer) for transfer in self._transfers):
            await self._ledger.revise(self._key, self._release, durable=False)
        elif not await self._ledger.revise(self._key, self._acquire, durable=False):
            # It was silent for long, and others took its place.
            for transfer in self._transfers:
                transfer.end()


def _lives(transfer: Transfer) -> bool:
    connection = transfer.socket
    return connection is not None and silent_seconds(connection) < SILENT_SECONDS
