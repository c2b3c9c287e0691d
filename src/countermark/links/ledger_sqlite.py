"""A ledger in an SQLite file: enough for all processes of one machine."""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

from countermark.errors import UnavailableError

_BUSY_SECONDS = 10.0
# Clocks of two processes of one machine agree; this covers requests under way at the expiry.
_GRACE_SECONDS = 60


class SqliteLedger:
    """One connection, used by one thread at a time; other processes wait by SQLite's own locks."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            # An answer given must survive a power cut, or a link would work twice.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS spent"
                " (key TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID"
            )
            self._connection.execute("CREATE INDEX IF NOT EXISTS spent_until ON spent (until)")
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError from error

    async def spend(self, key: str, until_s: int) -> bool:
        """Mark the key; see the port."""
        return await asyncio.to_thread(self._spend, key, until_s)

    def _spend(self, key: str, until_s: int) -> bool:
        try:
            with self._lock:
                first = self._connection.execute(
                    "INSERT INTO spent VALUES (?, ?) ON CONFLICT DO NOTHING", (key, until_s)
                ).rowcount
                if first:
                    self._connection.execute(
                        "DELETE FROM spent WHERE until < ?", (int(time.time()) - _GRACE_SECONDS,)
                    )
        except sqlite3.Error as error:
            raise UnavailableError from error
        return first == 1

    async def close(self) -> None:
        """Close the file; see the port."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            self._connection.close()
