"""Tokens are remembered for a moment, and never without bound."""

import pytest

from countermark.api import authorization, scopes
from countermark.api.authorization import Authorization, token_hash
from countermark.api.catalog_calls import CatalogCalls
from countermark.catalog.database import Database
from countermark.catalog.writers import accounts
from countermark.errors import AccessError

NOW = 1_000


@pytest.fixture
def tokens(sqlite_database: Database) -> list[str]:
    names = [f"token{number}" for number in range(5)]
    with sqlite_database.write() as connection:
        user = accounts.create_user(connection, "owner", NOW)
        made = accounts.create_application(connection, user.id, "app", ("mediahub",), NOW)
        for name in names:
            accounts.issue_token(
                connection, made.id, ("mediahub",), token_hash(name), NOW + 60_000, NOW
            )
    return names


async def test_a_remembered_token_needs_no_catalog(
    sqlite_database: Database, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = CatalogCalls(sqlite_database)
    known = Authorization(catalog, lambda: NOW)
    first = await known.by_token(f"Bearer {tokens[0]}")
    monkeypatch.delattr(catalog, "_database")
    assert await known.by_token(f"bearer {tokens[0]}") is first
    assert first.scopes == {"mediahub", "mediahub_read", "mediahub_write"}


async def test_only_so_many_tokens_are_remembered(
    sqlite_database: Database, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorization, "REMEMBERED_CALLERS", 2)
    known = Authorization(CatalogCalls(sqlite_database), lambda: NOW)
    for token in tokens:
        await known.by_token(f"Bearer {token}")
        assert len(known._remembered) <= 2


async def test_an_unknown_token_is_not_remembered(sqlite_database: Database) -> None:
    known = Authorization(CatalogCalls(sqlite_database), lambda: NOW)
    with pytest.raises(AccessError):
        await known.by_token("Bearer nobody's")
    assert known._remembered == {}


def test_mediahub_means_reading_and_writing() -> None:
    assert scopes.effective(["mediahub"]) == {"mediahub", "mediahub_read", "mediahub_write"}
    assert scopes.effective(["me"]) == {"me"}
    assert set(scopes.ALL) >= scopes.READ | scopes.WRITE | scopes.DOWNLOAD | scopes.ME
