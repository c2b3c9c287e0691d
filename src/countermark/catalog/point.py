"""Reads of one row by its key, on which an event loop waits.

SQLAlchemy's way through a statement costs several times what SQLite needs to find a row: events,
contexts, a result with its metadata. A `PointQuery` is compiled by SQLAlchemy once, types and all,
and then handed to sqlite3 itself. On other databases, where a read is a message to a server,
it is executed as any statement is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

Decoder = Callable[[Any], Any]


class PointQuery:
    """A SELECT with named parameters, none of them expanding, that gives at most one row."""

    def __init__(self, query: sa.Select[Any]) -> None:
        self._query = query
        self._prepared: _Prepared | None = None

    def first(self, conn: sa.Connection, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """The row, its columns decoded as by their types, or None."""
        if conn.dialect.name != "sqlite":
            return conn.execute(self._query, values).first()
        if self._prepared is None:
            self._prepared = _Prepared(self._query, conn.dialect)
        return self._prepared.first(conn.connection.driver_connection, values)


class _Prepared:
    def __init__(self, query: sa.Select[Any], dialect: sa.Dialect) -> None:
        compiled = query.compile(dialect=dialect)
        self._sql = str(compiled)
        self._constants = compiled.params
        self._names: Sequence[str] = compiled.positiontup or ()
        self._decoders = _decoders(query, dialect)

    def first(self, connection: Any, values: Mapping[str, Any]) -> Sequence[Any] | None:
        named = {**self._constants, **values}
        found = connection.execute(self._sql, [named[name] for name in self._names]).fetchone()
        if found is None:
            return None
        row = list(found)
        for at, decode in self._decoders:
            if row[at] is not None:
                row[at] = decode(row[at])
        return row


def _decoders(query: sa.Select[Any], dialect: sa.Dialect) -> list[tuple[int, Decoder]]:
    decoders = (
        column.type.dialect_impl(dialect).result_processor(dialect, None)
        for column in query.selected_columns
    )
    return [(at, decode) for at, decode in enumerate(decoders) if decode is not None]
