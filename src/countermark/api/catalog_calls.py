"""How the event loop calls the catalog, whose functions block.

A point read in SQLite takes tens of microseconds from memory that is mapped into this process,
less than handing it to a thread and back. So `read_point` runs it in place there. All else, and
everything on PostgreSQL, whose server may stall, runs in a few threads with a deadline.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from countermark.catalog.database import Database
from countermark.errors import UnavailableError

THREADS = 8
DEADLINE_SECONDS = 35.0  # just over the catalog's own wait for a locked database

T = TypeVar("T")


class CatalogCalls:
    """Runs blocking work for the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_place = database.url.startswith("sqlite")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="catalog")

    async def read_point(self, work: Callable[[Connection], T]) -> T:
        """Run a read that touches a few rows by their keys and needs no common snapshot."""
        if self._in_place:
            with self._database.glance() as connection:
                return work(connection)
        return await self.read(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run any read, in one consistent snapshot."""

        def run() -> T:
            with self._database.read() as connection:
                return work(connection)

        return await self.apart(run)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction.

        When the deadline passes or the caller is cancelled, the transaction still ends by
        itself: done or rolled back, never half.
        """

        def run() -> T:
            with self._database.write() as connection:
                return work(connection)

        return await self.apart(run)

    async def apart(self, work: Callable[[], T]) -> T:
        """Run blocking or long work in a thread.

        Raises:
            UnavailableError: it took longer than the deadline.
        """
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.wait_for(running, DEADLINE_SECONDS)
        except TimeoutError as error:
            raise UnavailableError("try again later") from error

    def close(self) -> None:
        """Let the threads end; what they run now is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
