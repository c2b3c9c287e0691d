"""Counts what this edge sends and whom it refuses, and hands it on every half second.

Counting happens on the event loop and touches memory only. A batch that cannot be appended is
kept and appended again under the same id, while counting goes on; so an outage of the catalog
costs nothing, and an edge that is killed loses what it sent since its last batch.
"""

import asyncio
from collections.abc import Callable

import structlog

from countermark.edge.transfers import Transfer
from countermark.ids import new_id
from countermark.links.client import Client
from countermark.links.coverage import Coverage
from countermark.links.link import Link
from countermark.links.traffic import (
    Batch,
    Counted,
    Delivered,
    Refused,
    Sent,
    TrafficLog,
    day_of,
    delivery_id,
)

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 0.5
# In an outage of the catalog: further downloads are counted in bytes, not as downloads.
MOST_DELIVERIES = 100_000
# Of one batch: whoever has very many addresses must not fill the catalog with them.
MOST_REFUSALS = 1000


class Meter:
    """Counts bytes and complete downloads of one edge: a listener of its transfers.

    Args:
        traffic: Where batches go.
        clock: Milliseconds since the epoch.
    """

    def __init__(self, traffic: TrafficLog, clock: Callable[[], int]) -> None:
        self._traffic = traffic
        self._clock = clock
        self._bytes: dict[Counted, int] = {}
        self._downloads: dict[Counted, int] = {}
        self._deliveries: dict[str, _Delivery] = {}
        self._refusals: dict[tuple[str, str, str], Refused] = {}
        self._unsure: Batch | None = None

    def refused(self, link: Link, client: Client, error_code: str) -> None:
        """Count a client that the link is not for."""
        key = (link.serial, client.address, error_code)
        before = self._refusals.get(key)
        if before is None and len(self._refusals) >= MOST_REFUSALS:
            return
        times = before.times + 1 if before else 1
        self._refusals[key] = Refused(self._counted(link), *key, times, self._clock())

    def begun(self, transfer: Transfer) -> None:
        """Nothing was sent yet."""

    def sent(self, transfer: Transfer, start: int, stop: int) -> None:
        """Count bytes of the link's file from offset `start` up to `stop`."""
        link, counted = transfer.link, self._counted(transfer.link)
        self._bytes[counted] = self._bytes.get(counted, 0) + stop - start
        key = delivery_id(link.serial, transfer.client.address)
        delivery = self._deliveries.get(key)
        if delivery is None:
            if len(self._deliveries) >= MOST_DELIVERIES:
                return
            delivery = self._deliveries[key] = _Delivery(link.size, counted)
        delivery.coverage.add(start, stop)
        if delivery.coverage.is_whole(link.size):
            self._downloads[counted] = self._downloads.get(counted, 0) + 1
            delivery.coverage = Coverage()

    def ended(self, transfer: Transfer) -> None:
        """All that it sent was counted when it was sent."""

    async def run(self) -> None:
        """Flush every half second until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> bool:
        """Append what was counted.

        Returns:
            False if it could not be appended; nothing is lost, the next call tries again.
        """
        batch = self._unsure or self._take()
        if batch is None:
            return True
        self._unsure = batch
        try:
            await asyncio.to_thread(self._traffic.append, batch)
        except Exception:
            log.warning("traffic could not be handed on", exc_info=True)
            return False
        self._unsure = None
        return True

    async def close(self) -> None:
        """Append all that is left."""
        while self._unsure or self._bytes or self._downloads or self._refusals:
            if not await self.flush():
                log.error("traffic is lost", bytes=sum(self._bytes.values()))
                return

    def _counted(self, link: Link) -> Counted:
        day = day_of(self._clock())
        return Counted(link.account, link.application, link.file, link.tag, day)

    def _take(self) -> Batch | None:
        if not (self._bytes or self._downloads or self._refusals):
            return None
        sent, downloads, deliveries = self._bytes, self._downloads, self._deliveries
        self._bytes, self._downloads, self._deliveries = {}, {}, {}
        refusals, self._refusals = self._refusals, {}
        return Batch(
            new_id(),
            tuple(
                Sent(counted, sent.get(counted, 0), downloads.get(counted, 0))
                for counted in {**sent, **downloads}
            ),
            tuple(
                Delivered(key, one.counted, one.size, packed)
                for key, one in deliveries.items()
                if (packed := one.coverage.pack())
            ),
            tuple(refusals.values()),
        )


class _Delivery:
    __slots__ = ("counted", "coverage", "size")

    def __init__(self, size: int, counted: Counted) -> None:
        self.size = size
        self.counted = counted
        self.coverage = Coverage()
