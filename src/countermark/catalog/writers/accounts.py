"""Users, applications and tokens come and go."""

import secrets
from collections.abc import Iterable

import sqlalchemy as sa

from countermark.catalog.records import ApplicationRecord, UserRecord
from countermark.catalog.tables import applications, tokens, users
from countermark.catalog.writers.revocations import revoke
from countermark.errors import InvalidRequestError
from countermark.ids import new_id

_SECRET_BYTES = 32


def create_user(conn: sa.Connection, name: str, now: int) -> UserRecord:
    """Add a user.

    Raises:
        sqlalchemy.exc.IntegrityError: the name is taken.
    """
    record = UserRecord(new_id(), name, now, now)
    conn.execute(sa.insert(users).values(id=record.id, name=name, created_at=now, updated_at=now))
    return record


def rename_user(conn: sa.Connection, user_id: str, name: str, now: int) -> UserRecord | None:
    """Give a user another name.

    Returns:
        The user as it is now; None if there is none of this id.

    Raises:
        InvalidRequestError: the name is taken.
    """
    taken = sa.select(users.c.id).where(users.c.name == name, users.c.id != user_id)
    if conn.scalar(taken) is not None:
        raise InvalidRequestError("user.name: is taken")
    renamed = sa.update(users).where(users.c.id == user_id).values(name=name, updated_at=now)
    columns = (users.c.id, users.c.name, users.c.created_at, users.c.updated_at)
    row = conn.execute(renamed.returning(*columns)).first()
    return UserRecord(*row) if row else None


def rename_application(conn: sa.Connection, application_id: str, name: str, now: int) -> None:
    """Give an application another name."""
    found = sa.update(applications).where(applications.c.id == application_id)
    conn.execute(found.values(name=name, updated_at=now))


def create_application(
    conn: sa.Connection, user_id: str, name: str, scopes: Iterable[str], now: int
) -> ApplicationRecord:
    """Add an application with a new random secret."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    record = ApplicationRecord(new_id(), user_id, name, secret, tuple(scopes), None, now, now)
    values = {field: getattr(record, field) for field in record.__struct_fields__}
    conn.execute(sa.insert(applications).values(values | {"scopes": ",".join(record.scopes)}))
    return record


def revoke_application(conn: sa.Connection, application_id: str, now: int) -> bool:
    """End the application's access, its tokens and its links; False if there was none to end."""
    revoked = conn.execute(
        sa.update(applications)
        .where(applications.c.id == application_id, applications.c.revoked_at.is_(None))
        .values(revoked_at=now, updated_at=now)
    )
    conn.execute(sa.delete(tokens).where(tokens.c.application_id == application_id))
    if not revoked.rowcount:
        return False
    revoke(conn, "application", application_id, None, now)
    return True


def issue_token(
    conn: sa.Connection,
    application_id: str,
    scopes: Iterable[str],
    token_hash: bytes,
    expires_at: int,
    now: int,
) -> None:
    """Remember a token by the SHA-256 of its text; the text itself is never stored."""
    conn.execute(
        sa.insert(tokens).values(
            token_hash=token_hash,
            application_id=application_id,
            scopes=",".join(sorted(scopes)),
            expires_at=expires_at,
            created_at=now,
        )
    )


def delete_expired_tokens(conn: sa.Connection, now: int) -> int:
    """Forget tokens that no longer give access; return how many."""
    return conn.execute(sa.delete(tokens).where(tokens.c.expires_at <= now)).rowcount
