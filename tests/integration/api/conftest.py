"""The API on SQLite; `any_hub` is on each database in turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from countermark.catalog.database import Database
from support.api import Account, Hub, running


@pytest.fixture
async def hub(tmp_path: Path, sqlite_database: Database) -> AsyncIterator[Hub]:
    async with running(tmp_path, sqlite_database) as hub:
        yield hub


@pytest.fixture
async def any_hub(tmp_path: Path, database: Database) -> AsyncIterator[Hub]:
    async with running(tmp_path, database) as hub:
        yield hub


@pytest.fixture
async def owner(hub: Hub) -> Account:
    return await hub.account("owner")


@pytest.fixture
async def stranger(hub: Hub) -> Account:
    return await hub.account("stranger")
