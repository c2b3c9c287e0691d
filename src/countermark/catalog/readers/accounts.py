"""Who asks: users, applications, and the access that a token gives."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from countermark.catalog.ordering import Page, columns_of, read_page
from countermark.catalog.point import PointQuery
from countermark.catalog.records import Access, ApplicationRecord, UserRecord
from countermark.catalog.tables import applications as application_table
from countermark.catalog.tables import tokens, users

_APPLICATION_SORTS: dict[str, sa.ColumnElement[Any]] = columns_of(
    application_table, "name", "scopes", "user_id", "created_at", "updated_at"
)
_USERS = sa.select(users.c.id, users.c.name, users.c.created_at, users.c.updated_at)
_APPLICATION = PointQuery(
    sa.select(application_table).where(application_table.c.id == sa.bindparam("id"))
)
_ACCESS = PointQuery(
    sa.select(tokens.c.application_id, application_table.c.user_id, tokens.c.scopes)
    .join(application_table, application_table.c.id == tokens.c.application_id)
    .where(
        tokens.c.token_hash == sa.bindparam("token_hash"),
        tokens.c.expires_at > sa.bindparam("now"),
        application_table.c.revoked_at.is_(None),
    )
)


def access_by_token(conn: sa.Connection, token_hash: bytes, now: int) -> Access | None:
    """What the token allows; None when it is unknown or expired or its application revoked.

    Args:
        conn: Any connection of the catalog.
        token_hash: SHA-256 of the token's text.
        now: Milliseconds since the epoch.
    """
    row = _ACCESS.first(conn, {"token_hash": token_hash, "now": now})
    return Access(row[0], row[1], frozenset(split_scopes(row[2]))) if row else None


def application(conn: sa.Connection, application_id: str) -> ApplicationRecord | None:
    """An application, revoked ones too."""
    row = _APPLICATION.first(conn, {"id": application_id})
    return _application(row) if row else None


def applications(conn: sa.Connection) -> list[ApplicationRecord]:
    """Every application, oldest first."""
    query = sa.select(application_table).order_by(application_table.c.id)
    return [_application(row) for row in conn.execute(query)]


def applications_of(
    conn: sa.Connection, user_id: str, page: Page
) -> tuple[list[ApplicationRecord], int]:
    """A page of the user's applications that have access, and how many there are."""
    table = application_table
    query = sa.select(table).where(table.c.user_id == user_id, table.c.revoked_at.is_(None))
    rows, total = read_page(conn, query, _APPLICATION_SORTS, page)
    return [_application(row) for row in rows], total


def user_sort_keys() -> frozenset[str]:
    """Every key that a listing of users can be sorted by."""
    return frozenset({"id", "href", "name", "created_at", "updated_at"})


def application_sort_keys() -> frozenset[str]:
    """Every key that a listing of applications can be sorted by."""
    return frozenset(_APPLICATION_SORTS)


def user(conn: sa.Connection, user_id: str) -> UserRecord | None:
    """A user."""
    row = conn.execute(_USERS.where(users.c.id == user_id)).first()
    return UserRecord(*row) if row else None


def first_user(conn: sa.Connection) -> UserRecord | None:
    """The oldest user; None before the first start."""
    row = conn.execute(_USERS.order_by(users.c.id).limit(1)).first()
    return UserRecord(*row) if row else None


def split_scopes(text: str) -> tuple[str, ...]:
    """Scopes of their column's text."""
    return tuple(text.split(",")) if text else ()


def _application(row: Sequence[Any]) -> ApplicationRecord:
    id_, user_id, name, secret, scopes, *times = row
    return ApplicationRecord(id_, user_id, name, bytes(secret), split_scopes(scopes), *times)
