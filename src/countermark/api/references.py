"""Looking up what resources refer to, a level at a time, for `expand` and `expand_all`."""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from countermark.catalog.backtrace_records import BacktraceRecord
from countermark.catalog.job_records import JobRecord, PresetRecord
from countermark.catalog.readers import accounts, files, jobs, pipelines, presets
from countermark.catalog.records import (
    ApplicationRecord,
    FileRecord,
    PipelineRecord,
    UserRecord,
)
from countermark.media.codecs import Codec, codec_by_id

Kind = Literal["user", "application", "pipeline", "job", "preset", "codec", "file"]
Record = (
    UserRecord
    | ApplicationRecord
    | PipelineRecord
    | JobRecord
    | PresetRecord
    | Codec
    | FileRecord
    | BacktraceRecord
)

NAMES = frozenset(
    {
        *("user", "application", "pipeline", "job", "preset", "codec", "file"),
        *("parents", "elements", "root_folder", "folder", "archive"),
    }
)
_FOLDERS = {"parents": "parent_id", "root_folder": "root_folder_id"}
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
    connection: Connection,
    user_id: str,
    records: Iterable[Record],
    wanted: Wish,
    now: int,
) -> dict[Key, Record]:
    """Find everything that the records refer to, directly and through others.

    Args:
        connection: The catalog.
        user_id: Whose the records are; others' are not found. "" is nobody.
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
    if isinstance(record, JobRecord) and name in {"file", "preset", "folder", "archive"}:
        return _of_job(record, name)
    if isinstance(record, BacktraceRecord) and name == "file":
        return [*_one("file", record.file_id), *_one("file", record.master_id)]
    if isinstance(record, PresetRecord) and name == "codec":
        return _of_preset(record)
    if name == "elements":
        return [Key("file", one) for one in getattr(record, "elements", None) or ()]
    if name in _FOLDERS:
        return _one("file", getattr(record, _FOLDERS[name], None))
    kind: Kind = name  # type: ignore[assignment]  # the other names are kinds
    return _one(kind, getattr(record, f"{name}_id", None))


def _of_job(record: JobRecord, name: str) -> list[Key]:
    if name == "preset":
        return [Key("preset", output["preset"]["id"]) for output in record.outputs]
    if name == "folder":
        return _one("file", record.folder_id)
    if name == "archive":
        return _one("file", record.archive_id)
    found = _one("file", record.input_file_id)
    for result in record.results or ():
        for one in (result.file_id, result.thumbnail_zip_id, *result.image_ids):
            found += _one("file", one)
    return found


def _of_preset(record: PresetRecord) -> list[Key]:
    formats = (record.target_format.get(name) for name in ("vcodec", "acodec"))
    return [Key("codec", one["codec"]["id"]) for one in formats if one]


def _one(kind: Kind, record_id: str | None) -> list[Key]:
    return [Key(kind, record_id)] if record_id else []


def _load(connection: Connection, user_id: str, keys: set[Key], now: int) -> dict[Key, Record]:
    ids: dict[Kind, list[str]] = {}
    for key in keys:
        ids.setdefault(key.kind, []).append(key.id)
    found: dict[Key, Record] = {}
    for kind, some in ids.items():
        loaded = _LOADERS[kind](connection, user_id, some, now)
        found.update({Key(kind, record.id): record for record in loaded})
    return found


Loader = Callable[[Connection, str, list[str], int], Iterable[Record]]

_LOADERS: dict[Kind, Loader] = {
    "file": lambda conn, user, ids, now: files.files_by_id(conn, user, ids, now).values(),
    "pipeline": lambda conn, user, ids, _: pipelines.pipelines_by_id(conn, user, ids).values(),
    "job": lambda conn, user, ids, _: jobs.jobs_by_id(conn, user, ids).values(),
    "preset": lambda conn, user, ids, _: presets.presets_by_id(conn, user, ids).values(),
    "codec": lambda _conn, _user, ids, _: filter(None, map(codec_by_id, ids)),
    # A user has a handful of these.
    "application": lambda conn, _user, ids, _: filter(
        None, (accounts.application(conn, one) for one in ids)
    ),
    "user": lambda conn, _user, ids, _: filter(None, (accounts.user(conn, one) for one in ids)),
}
