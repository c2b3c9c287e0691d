"""The door to the database: connections, transactions, and its errors as ours.

Two pools stand behind it: readers, whose connections cannot write and see one snapshot for the
length of a transaction, and writers.
"""

import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import event, exc

from countermark.catalog.landmarks import Landmarks
from countermark.catalog.migrations import upgrade
from countermark.errors import SettingsError, UnavailableError

_BUSY_MS = 30_000
_MIGRATION_LOCK = 0x6D696772  # "migr"
_POOL: dict[str, Any] = {
    "pool_size": 8,
    "max_overflow": 24,
    "pool_timeout": 30,
    "pool_use_lifo": True,
}
_SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout={_BUSY_MS}",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)


class Database:
    """A catalog database, for any number of threads.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`. SQLite's file and its
            folder are made if they are missing, the file for its owner only.

    Attributes:
        url: As given.

    Raises:
        SettingsError: an SQLite URL names no file, or one that cannot be made.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = sa.make_url(url)
        self._idle: deque[sa.Connection] | None = None
        self._glancing: deque[sa.Connection] = deque()
        if parsed.get_backend_name() == "sqlite":
            _prepare_file(parsed)
            self._readers, self._writers = _sqlite_engines(parsed)
            self._idle = deque()
        else:
            self._readers, self._writers = _postgresql_engines(parsed)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent snapshot, which cannot be written to.

        Raises:
            UnavailableError: the database cannot be reached, or stays locked.
        """
        with _translated(), self._reader() as connection, connection.begin():
            yield connection

    def glance(self) -> AbstractContextManager[sa.Connection]:
        """Like `read`, but on SQLite each statement sees a snapshot of its own.

        For reads of a row or two on which an event loop waits: BEGIN and COMMIT are a third of
        their time, and each gives up the interpreter's lock, which the server's threads take.

        Raises:
            UnavailableError: the database cannot be reached, or stays locked.
        """
        if self._idle is None:
            return self.read()
        return _Glance(self._readers, self._glancing)

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
        for waiting in (self._idle, self._glancing):
            while waiting:
                waiting.pop().close()
        self._readers.dispose()
        self._writers.dispose()

    @contextmanager
    def _reader(self) -> Iterator[sa.Connection]:
        if self._idle is None:
            with self._readers.connect() as connection:
                yield connection
            return
        # The pool's own door costs more than reading a row does, and connections to a file
        # don't go stale, so they wait here. A deque's ends are safe between threads.
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._readers.connect()
        try:
            yield connection
        finally:
            self._idle.append(connection)


def migrate(database: Database) -> None:
    """Make or renew the tables; safe when several processes start at once.

    Everything happens in one transaction: a process killed half way leaves the old schema.

    Raises:
        UnavailableError: the database cannot be reached, or stays locked.
    """
    with database.write() as connection:
        lock(connection, _MIGRATION_LOCK)
        upgrade(connection)


def lock(connection: sa.Connection, number: int) -> None:
    """Hold one of the catalog's own locks until the transaction ends.

    For what must be done once although nothing is there yet that could be locked.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
    # SQLite's writers are alone from their start.


class _Glance:
    """A generator would take as long as finding the row does."""

    __slots__ = ("_connection", "_engine", "_waiting")

    def __init__(self, engine: sa.Engine, waiting: deque[sa.Connection]) -> None:
        self._engine = engine
        self._waiting = waiting

    def __enter__(self) -> sa.Connection:
        try:
            self._connection = self._waiting.pop()
        except IndexError:
            with _translated():
                self._connection = self._engine.execution_options(glancing=True).connect()
        return self._connection

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._waiting.append(self._connection)
        if error is not None:
            _translate(error)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        _translate(error)
        raise


def _translate(error: BaseException) -> None:
    """Raise what it means, if it means that the database cannot be reached."""
    if isinstance(error, exc.OperationalError | exc.TimeoutError):
        if not _is_our_fault(error):
            raise UnavailableError from error
    elif isinstance(error, exc.DBAPIError):
        if error.connection_invalidated:
            raise UnavailableError from error
    elif isinstance(error, sqlite3.OperationalError):
        # From a read that went to sqlite3 itself (point.py).
        raise UnavailableError from error


def _is_our_fault(error: exc.SQLAlchemyError) -> bool:
    # SQLite says "operational" of wrong SQL, too, and alone of all codes with SQLITE_ERROR.
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


def _prepare_file(url: sa.URL) -> None:
    if url.database in {None, "", ":memory:"}:
        raise SettingsError(f"{url} names no file; accepted: sqlite:///PATH")
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise SettingsError(f"{url} cannot be used: {error}") from error
    try:
        # Turning to WAL fails at once, busy timeout or not, when two processes try together.
        fcntl.flock(folder, fcntl.LOCK_EX)
        _turn_to_wal(path)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"{url} cannot be used: {error}") from error
    finally:
        os.close(folder)


def _turn_to_wal(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _sqlite_engines(url: sa.URL) -> tuple[sa.Engine, sa.Engine]:
    # Readers wait outside of the pool, so it must not wait for one to come back.
    readers = _engine(url, execution_options=_memory(), max_overflow=-1)
    writers = _engine(url)
    event.listen(readers, "connect", _connected(*_SQLITE_PRAGMAS, "PRAGMA query_only=ON"))
    event.listen(writers, "connect", _connected(*_SQLITE_PRAGMAS))
    # sqlite3's own transactions begin too late for a snapshot and too weak for a writer.
    event.listen(readers, "begin", _begin_snapshot)
    event.listen(writers, "begin", _begin_alone)
    return readers, writers


def _connected(*pragmas: str) -> Callable[[Any, object], None]:
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    return connected


def _begin_snapshot(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("glancing"):
        return  # SQLite gives each statement a snapshot of its own
    # Straight to sqlite3: this cannot fail, and is called for every point read.
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")


def _begin_alone(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_engines(url: sa.URL) -> tuple[sa.Engine, sa.Engine]:
    url = url.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"pool_pre_ping": True}
    readers = _engine(
        url, isolation_level="REPEATABLE READ", execution_options=_memory(), **options
    )
    writers = _engine(url, isolation_level="READ COMMITTED", **options)

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
        **(_POOL | options),
    )
