"""Whether what stands behind a process answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from countermark.catalog.database import Database
from countermark.errors import BlobNotFoundError
from countermark.links.ledger import Ledger
from countermark.storage.port import Store

log = structlog.get_logger()

_Check = Callable[[], Awaitable[object]]

READY_SECONDS = 1.0
READY_TIMEOUT_SECONDS = 3.0
READY_KEY = "ready"  # no blob has it, and the ledger's mark of it means nothing
READY_KEY_SECONDS = 60


class Readiness:
    """Whether the parts behind a process answer; they are asked once a second at most.

    Args:
        database: The catalog.
        store: The blobs.
        ledger: What links remember.
    """

    def __init__(self, database: Database, store: Store, ledger: Ledger) -> None:
        self._checks: dict[str, _Check] = {
            "database": lambda: asyncio.to_thread(_glance, database),
            "store": lambda: _look(store),
            "ledger": lambda: ledger.spend(READY_KEY, int(time.time()) + READY_KEY_SECONDS),
        }
        self._silent: tuple[str, ...] = ()
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def __call__(self) -> tuple[str, ...]:
        """Name those that do not answer."""
        async with self._asking:
            if time.monotonic() >= self._until:
                answers = await asyncio.gather(*(self._answers(name) for name in self._checks))
                self._silent = tuple(
                    name for name, well in zip(self._checks, answers, strict=True) if not well
                )
                self._until = time.monotonic() + READY_SECONDS
            return self._silent

    async def _answers(self, name: str) -> bool:
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                await self._checks[name]()
        except Exception:
            log.warning("a part does not answer", part=name, exc_info=True)
            return False
        return True


def _glance(database: Database) -> None:
    with database.read() as connection:
        connection.exec_driver_sql("SELECT 1")


async def _look(store: Store) -> None:
    with suppress(BlobNotFoundError):
        await store.stat(READY_KEY)
