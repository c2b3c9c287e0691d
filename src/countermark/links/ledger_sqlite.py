"""A ledger in an SQLite file: enough for all processes of one machine."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from countermark.errors import UnavailableError
from countermark.links.ledger import Change, T

_BUSY_SECONDS = 5.0
# Clocks of two processes of one machine agree; this covers requests under way at the expiry.
_GRACE_SECONDS = 60
_TABLES = (
    "CREATE TABLE IF NOT EXISTS spent (key TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS spent_until ON spent (until)",
    "CREATE TABLE IF NOT EXISTS states (key TEXT PRIMARY KEY, value BLOB, until REAL)",
    "CREATE INDEX IF NOT EXISTS states_until ON states (until)",
)


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
            for table in _TABLES:
                self._connection.execute(table)
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError from error

    async def spend(self, key: str, until_s: int) -> bool:
        """Mark the key; see the port."""
        return await asyncio.to_thread(self._spend, key, until_s)

    def _spend(self, key: str, until_s: int) -> bool:
        with self._transaction(durable=True):
            first = self._connection.execute(
                "INSERT INTO spent VALUES (?, ?) ON CONFLICT DO NOTHING", (key, until_s)
            ).rowcount
            if first:
                self._connection.execute("DELETE FROM spent WHERE until < ?", (_forgotten(),))
        return first == 1

    async def revise(self, key: str, change: Change[T], *, durable: bool = True) -> T:
        """Change a value; see the port."""
        return await asyncio.to_thread(self._revise, key, change, durable=durable)

    def _revise(self, key: str, change: Change[T], *, durable: bool) -> T:
        with self._transaction(durable=durable):
            row = self._connection.execute(
                "SELECT value FROM states WHERE key = ?", (key,)
            ).fetchone()
            had = row[0] if row else None
            value, until, answer = change(had, time.time())
            if value != had:
                self._put(key, value, until)
        return answer

    def _put(self, key: str, value: bytes | None, until: float) -> None:
        if value is None:
            self._connection.execute("DELETE FROM states WHERE key = ?", (key,))
            return
        self._connection.execute("REPLACE INTO states VALUES (?, ?, ?)", (key, value, until))
        self._connection.execute("DELETE FROM states WHERE until < ?", (_forgotten(),))

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        try:
            with self._lock:
                # In WAL mode only FULL lasts through a power cut, at the cost of an fsync.
                level = "FULL" if durable else "NORMAL"
                self._connection.execute(f"PRAGMA synchronous = {level}")
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:
                    yield
        except sqlite3.Error as error:
            raise UnavailableError from error

    async def close(self) -> None:
        """Close the file; see the port."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            self._connection.close()


def _forgotten() -> int:
    return int(time.time()) - _GRACE_SECONDS
