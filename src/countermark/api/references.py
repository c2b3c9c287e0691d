"""Looking up what resources refer to, a level at a time, for `expand` and `expand_all`."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from countermark.catalog.readers import accounts, files, jobs, pipelines
from countermark.catalog.records import (
    ApplicationRecord,
    FileRecord,
    JobRecord,
    PipelineRecord,
    UserRecord,
)

Kind = Literal["user", "application", "pipeline", "job", "file"]
Record = UserRecord | ApplicationRecord | PipelineRecord | JobRecord | FileRecord

NAMES = frozenset({"user", "application", "pipeline", "job", "parents", "elements", "root_folder"})
DEEPEST = 4
# An archive of archives could name far more than anyone can read.
MOST_RECORDS = 20_000


class Key(NamedTuple):
    """Names a record."""

    kind: Kind
    id: str


class Wish(NamedTuple):
    """Which references to replace, and how many levels deep."""

    names: frozenset[str]
    depth: int


def wish(expand: Iterable[str], *, everything: bool) -> Wish:
    """What `expand` and `expand_all` ask for; names that mean nothing are dropped."""
    if everything:
        return Wish(NAMES, DEEPEST)
    names = NAMES.intersection(expand)
    return Wish(names, 1 if names else 0)


def references(record: Record, names: frozenset[str]) -> list[Key]:
    """What a record refers to under these names."""
    found: list[Key] = []
    for name in names:
        found += _named(record, name)
    return found


def look_up(
    connection: Connection, user_id: str, records: Iterable[Record], wanted: Wish, now: int
) -> dict[Key, Record]:
    """Find everything that the records refer to, directly and through others.

    Args:
        connection: The catalog.
        user_id: Whose the records are; others' are not found.
        records: Where to start.
        wanted: Which references, how deep.
        now: The time, ms since the epoch.
    """
    found: dict[Key, Record] = {}
    level = list(records)
    for _ in range(wanted.depth):
        keys = {key for record in level for key in references(record, wanted.names)} - found.keys()
        if not keys or len(found) + len(keys) > MOST_RECORDS:
            break
        loaded = _load(connection, user_id, keys, now)
        found.update(loaded)
        level = list(loaded.values())
    return found


def _named(record: Record, name: str) -> list[Key]:
    if name == "elements":
        return [Key("file", one) for one in getattr(record, "elements", None) or ()]
    if name == "parents":
        return _one("file", getattr(record, "parent_id", None))
    if name == "root_folder":
        return _one("file", getattr(record, "root_folder_id", None))
    kind: Kind = name  # type: ignore[assignment]  # the other names are kinds
    return _one(kind, getattr(record, f"{name}_id", None))


def _one(kind: Kind, record_id: str | None) -> list[Key]:
    return [Key(kind, record_id)] if record_id else []


def _load(connection: Connection, user_id: str, keys: set[Key], now: int) -> dict[Key, Record]:
    ids: dict[Kind, list[str]] = {}
    for key in keys:
        ids.setdefault(key.kind, []).append(key.id)
    found: dict[Key, Record] = {}
    for kind, some in ids.items():
        loaded = _load_kind(connection, user_id, kind, some, now)
        found.update({Key(kind, record.id): record for record in loaded})
    return found


def _load_kind(
    connection: Connection, user_id: str, kind: Kind, ids: list[str], now: int
) -> Iterable[Record]:
    match kind:
        case "file":
            return files.files_by_id(connection, user_id, ids, now).values()
        case "pipeline":
            return pipelines.pipelines_by_id(connection, user_id, ids).values()
        case "job":
            return jobs.jobs_by_id(connection, user_id, ids).values()
        case "application":  # a user has a handful of these
            return filter(None, [accounts.application(connection, one) for one in ids])
        case "user":
            return filter(None, [accounts.user(connection, one) for one in ids])
