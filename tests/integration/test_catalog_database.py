"""Transactions, errors and migrations, on both databases."""

import multiprocessing
import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from countermark.catalog import backtrace_tables, job_tables, tables
from countermark.catalog import database as database_module
from countermark.catalog.database import Database, migrate
from countermark.catalog.readers import accounts as read_accounts
from countermark.catalog.writers import accounts
from countermark.errors import SettingsError, UnavailableError


def test_what_is_written_is_there_for_the_next_reader(database: Database) -> None:
    with database.write() as conn:
        user = accounts.create_user(conn, "ann", 1)
    with database.read() as conn:
        assert read_accounts.user(conn, user.id) == user


def test_an_error_leaves_nothing_of_its_transaction(database: Database) -> None:
    def fail_half_way() -> None:
        with database.write() as conn:
            accounts.create_user(conn, "ann", 1)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_half_way()
    with database.read() as conn:
        assert read_accounts.first_user(conn) is None


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises((sa.exc.DBAPIError, UnavailableError)), database.read() as conn:
        accounts.create_user(conn, "ann", 1)
    with database.read() as conn:
        assert read_accounts.first_user(conn) is None


def test_a_reader_sees_one_snapshot_while_others_write(database: Database) -> None:
    with database.read() as conn:
        assert read_accounts.first_user(conn) is None
        with database.write() as writer:
            accounts.create_user(writer, "ann", 1)
        assert read_accounts.first_user(conn) is None


def test_wrong_sql_is_not_taken_for_an_unavailable_database(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), database.read() as conn:
        conn.exec_driver_sql("SELECT nothing FROM nowhere")


def test_a_locked_database_is_unavailable_and_the_cause_is_kept(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_SQLITE_PRAGMAS", ("PRAGMA busy_timeout=10",))
    impatient = Database(sqlite_database.url)
    with sqlite_database.write(), pytest.raises(UnavailableError) as caught:  # noqa: SIM117 - the inner one must fail
        with impatient.write():
            pass
    assert isinstance(caught.value.__cause__, sa.exc.OperationalError)
    impatient.close()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    absent = Database("postgresql://postgres@127.0.0.1:1/nothing")
    with pytest.raises(UnavailableError) as caught, absent.read():
        pass
    assert caught.value.__cause__ is not None


def test_the_file_is_made_in_a_new_folder_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "catalog.sqlite"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    with database.write() as conn:
        accounts.create_user(conn, "ann", 1)
    files = list(path.parent.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:////dev/null/x/y"])
def test_an_sqlite_url_without_a_file_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="sqlite"):
        Database(url)


def test_sqlite_is_durable_and_keeps_foreign_keys(sqlite_database: Database) -> None:
    with sqlite_database.write() as conn:
        found = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    full = 2
    assert found == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_the_migrations_lead_to_the_tables(database: Database) -> None:
    assert job_tables.metadata is backtrace_tables.metadata is tables.metadata
    with database.write() as conn:
        assert compare_metadata(MigrationContext.configure(conn), tables.metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.write() as conn:
        user = accounts.create_user(conn, "ann", 1)
    migrate(database)
    with database.read() as conn:
        assert read_accounts.first_user(conn) == user


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


def test_four_processes_may_migrate_at_once(empty_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.map(_migrate, [empty_url] * 4, chunksize=1)
    database = Database(empty_url)
    with database.read() as conn:
        assert read_accounts.first_user(conn) is None
    database.close()


def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(SettingsError) as caught:
        Database(f"sqlite:///{path}")
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
    assert path.read_bytes().startswith(b"this is no database")
