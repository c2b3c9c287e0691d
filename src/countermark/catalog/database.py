"""The door to the database: connections, transactions, and its errors as ours.

Two pools stand behind it: readers, whose connections cannot write and see one snapshot for the
length of a transaction, and writers.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import event, exc

from countermark.catalog.landmarks import Landmarks
from countermark.catalog.migrations import upgrade
from countermark.errors import SettingsError, UnavailableError

_BUSY_MS = 30_000
_MIGRATION_LOCK = 0x6D696772  # "migr"
_POOL = {"pool_size": 8, "max_overflow": 24, "pool_timeout": 30, "pool_use_lifo": True}


class Database:
    """A catalog database, for any number of threads.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`. SQLite's file and its
            folder are made if they are missing, the file for its owner only.

    Attributes:
        url: As given.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._glances: sa.Connection | None = None
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            _prepare_file(parsed)
            self._readers, self._writers = _sqlite_engines(parsed)
        else:
            self._readers, self._writers = _postgresql_engines(parsed)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent snapshot, which cannot be written to.

        Raises:
            UnavailableError: the database cannot be reached, or stays locked.
        """
        with _translated(), self._readers.begin() as connection:
            yield connection

    @contextmanager
    def glance(self) -> Iterator[sa.Connection]:
        """A kept connection on which each statement sees a snapshot of its own.

        For point reads of an event loop's thread, and of no other: leaving out the transaction
        and the pool takes two thirds off a read of one row. SQLite only.

        Raises:
            UnavailableError: the database stays locked.
        """
        with _translated():
            if self._glances is None:
                self._glances = self._readers.execution_options(glance=True).connect()
            yield self._glances

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: committed and durable at the end, rolled back on any error.

        On SQLite it is the only writer from its start, so what it reads stays true; on
        PostgreSQL it sees what others commit (READ COMMITTED).

        Raises:
            UnavailableError: the database cannot be reached, or stays locked.
        """
        with _translated(), self._writers.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every idle connection. May be repeated."""
        if self._glances is not None:
            self._glances.close()
            self._glances = None
        self._readers.dispose()
        self._writers.dispose()


def lock(connection: sa.Connection, number: int) -> None:
    """Hold one of the catalog's own locks until the transaction ends.

    For what must be done once although nothing is there yet that could be locked.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
    # SQLite's writers are alone from their start.


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.TimeoutError) as error:
        if _is_our_fault(error):
            raise
        raise UnavailableError from error
    except exc.DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise UnavailableError from error


def _is_our_fault(error: exc.SQLAlchemyError) -> bool:
    # SQLite says "operational" of wrong SQL, too, and alone of all codes with SQLITE_ERROR.
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _prepare_file(url: sa.URL) -> None:
    if url.database in {None, "", ":memory:"}:
        raise SettingsError(f"{url} names no file; accepted: sqlite:///PATH")
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # Turning to WAL fails at once, busy timeout or not, when two processes try together.
        fcntl.flock(folder, fcntl.LOCK_EX)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
    finally:
        os.close(folder)


def _sqlite_engines(url: sa.URL) -> tuple[sa.Engine, sa.Engine]:
    readers, writers = _engine(url, execution_options=_memory()), _engine(url)
    _on_connect(readers, *_SQLITE_PRAGMAS, "PRAGMA query_only=ON")
    _on_connect(writers, *_SQLITE_PRAGMAS)
    # sqlite3's own transactions begin too late for a snapshot and too weak for a writer.
    event.listen(readers, "begin", _begin_snapshot)
    event.listen(writers, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return readers, writers


def _begin_snapshot(connection: sa.Connection) -> None:
    # Without BEGIN, SQLite gives each statement a snapshot of its own.
    if not connection.get_execution_options().get("glance"):
        connection.exec_driver_sql("BEGIN")


_SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout={_BUSY_MS}",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)


def _on_connect(engine: sa.Engine, *pragmas: str) -> None:
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    event.listen(engine, "connect", connected)


def _postgresql_engines(url: sa.URL) -> tuple[sa.Engine, sa.Engine]:
    url = url.set(drivername="postgresql+psycopg")
    checked: dict[str, Any] = {"pool_pre_ping": True}
    readers = _engine(
        url, isolation_level="REPEATABLE READ", execution_options=_memory(), **checked
    )
    writers = _engine(url, isolation_level="READ COMMITTED", **checked)

    def connected(connection: Any, _record: object) -> None:
        connection.read_only = True

    event.listen(readers, "connect", connected)
    return readers, writers


def _memory() -> dict[str, Any]:
    """What readers remember of listings; a writer's view may be rolled back, so it has none."""
    return {"landmarks": Landmarks()}


def _engine(url: sa.URL, **options: Any) -> sa.Engine:
    return sa.create_engine(
        url,
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        **_POOL,
        **options,
    )


def migrate(database: Database) -> None:
    """Make or renew the tables; safe when several processes start at once.

    Everything happens in one transaction: a process killed half way leaves the old schema.

    Raises:
        UnavailableError: the database cannot be reached, or stays locked.
    """
    with database.write() as connection:
        lock(connection, _MIGRATION_LOCK)
        upgrade(connection)
