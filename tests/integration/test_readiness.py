"""Readiness asks the real parts, and names those that do not answer."""

from pathlib import Path

import pytest

from countermark.bootstrap import readiness
from countermark.bootstrap.readiness import Readiness
from countermark.catalog.database import Database
from countermark.errors import UnavailableError
from countermark.links.ledger import open_ledger
from countermark.storage.local import LocalStore


class Silent:
    """A ledger that cannot be reached, until it can."""

    def __init__(self) -> None:
        self.failing = True
        self.asked = 0

    async def spend(self, _key: str, _until_s: int) -> bool:
        self.asked += 1
        if self.failing:
            raise UnavailableError
        return True

    async def close(self) -> None:
        return


async def test_all_parts_that_answer_are_ready(database: Database, tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ready = Readiness(database, LocalStore(tmp_path / "blobs"), ledger)
    assert await ready() == ()
    await ledger.close()


async def test_the_part_that_fails_is_named_and_asked_once_a_second(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Silent()
    ready = Readiness(sqlite_database, LocalStore(tmp_path), ledger)
    assert await ready() == ("ledger",)
    assert await ready() == ("ledger",)
    assert ledger.asked == 1
    monkeypatch.setattr(readiness, "READY_SECONDS", 0.0)
    ledger.failing = False
    ready = Readiness(sqlite_database, LocalStore(tmp_path), ledger)
    assert await ready() == ()
