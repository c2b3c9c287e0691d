"""Every ledger passes the one suite."""

import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from conformance.ledger_suite import LedgerSuite, SharedLedgerSuite, later
from countermark.errors import SettingsError, UnavailableError
from countermark.links.ledger import Ledger, Revised, open_ledger
from support.ledger import MemoryLedger
from support.ports import free_port
from support.valkey import valkey


class TestMemoryLedger(LedgerSuite):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return MemoryLedger()


class TestSqliteLedger(SharedLedgerSuite):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'new folder' / 'ledger.sqlite'}"

    @pytest.fixture
    async def ledger(self, url: str) -> AsyncIterator[Ledger]:
        ledger = open_ledger(url)
        yield ledger
        await ledger.close()

    async def test_what_ended_long_ago_is_forgotten(self, ledger: Ledger, tmp_path: Path) -> None:
        await ledger.spend("old", int(time.time()) - 1000)
        await ledger.spend("new", later())
        with contextlib.closing(sqlite3.connect(tmp_path / "new folder" / "ledger.sqlite")) as file:
            assert file.execute("SELECT key FROM spent").fetchall() == [("new",)]

    async def test_a_file_that_cannot_be_used_lets_nothing_pass(self, tmp_path: Path) -> None:
        (tmp_path / "broken").write_bytes(b"not a database, not at all" * 100)
        with pytest.raises(UnavailableError):
            open_ledger(f"sqlite:///{tmp_path / 'broken'}")


@pytest.fixture(scope="module")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


class TestValkeyLedger(SharedLedgerSuite):
    _databases = iter(range(1, 16))

    @pytest.fixture
    def url(self, valkey_url: str) -> str:
        # A database of its own for each test.
        return valkey_url + str(next(self._databases))

    @pytest.fixture
    async def ledger(self, url: str) -> AsyncIterator[Ledger]:
        ledger = open_ledger(url)
        yield ledger
        await ledger.close()


async def test_a_ledger_that_cannot_be_reached_lets_nothing_pass() -> None:
    ledger = open_ledger(f"valkey://127.0.0.1:{free_port()}/0")
    with pytest.raises(UnavailableError):
        await ledger.spend("k", later())
    with pytest.raises(UnavailableError):
        await ledger.revise("k", lambda value, now: Revised(value, now, None))
    await ledger.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite://host/x", "valkey:///1", "x:1"]
)
def test_a_wrong_ledger_url_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERMARK_LEDGER_URL"):
        open_ledger(url)
