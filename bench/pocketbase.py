"""PocketBase with a collection of a million files, shaped as it would be by someone who knows it.

The columns are those of our file resource; references are plain ids and the links derived from ids
are left out, so that its answers are a little smaller than ours, never larger. Request logs are
off. Rows go straight into its SQLite file while it is stopped.
"""

import json
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import sample
from bench.client import call
from bench.processes import BIN, free_port, serving

_PROGRAM = BIN / "pocketbase"
_SUPERUSER = ("root@bench.invalid", "a-long-password")
_USER = ("reader@bench.invalid", "a-long-password")
_COLUMNS = {
    "text": (
        "storage title name kind subtype container mime_type md5_checksum header_crc description"
        " user_data thumbnail job application pipeline user"
    ),
    "number": (
        "size size_on_disk duration finished_at expires_at created_at updated_at download_count"
        " version"
    ),
    "json": "elements video_tracks audio_tracks subtitle_tracks parents",
    "bool": "autograph",
}
_FILL = """
WITH RECURSIVE counter(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM counter WHERE i + 1 < :count)
INSERT INTO files (
    storage, title, name, kind, subtype, container, mime_type, md5_checksum, size, size_on_disk,
    duration, finished_at, created_at, updated_at, version, job, application, pipeline, user,
    video_tracks, audio_tracks, parents
) SELECT
    'intern', 'clip ' || i, 'clip ' || i || '.mp4', 'file', 'video', :container, :mime_type,
    lower(hex(randomblob(16))), 8094037 + i, 8094037 + i, 24576, :at + i, :at + i, :at + i, 1,
    :id, :id, :id, :id, :video_tracks, :audio_tracks, :parents
FROM counter
"""
_READERS = '@request.auth.id != ""'


@dataclass(frozen=True)
class PocketBase:
    """A running PocketBase: its port, an ordinary reader's token, and some records' ids."""

    port: int
    token: str
    ids: Sequence[str]


@contextmanager
def pocketbase(folder: Path, count: int) -> Iterator[PocketBase]:
    """Run PocketBase over `count` records."""
    folder.mkdir()
    command = [_PROGRAM, "superuser", "upsert", *_SUPERUSER, "--dir", folder / "data"]
    subprocess.run(list(map(str, command)), cwd=folder, check=True, capture_output=True)
    with _running(folder) as port:
        _set_up(port)
    ids = _fill(folder / "data" / "data.db", count)
    with _running(folder) as port:
        yield PocketBase(port, _token(port, "users", _USER), ids)


@contextmanager
def _running(folder: Path) -> Iterator[int]:
    port = free_port()
    options = ["--hooksWatch=false", "--automigrate=false", "--http", f"127.0.0.1:{port}"]
    command = [_PROGRAM, "serve", "--dir", folder / "data", *options]
    with serving(command, [port], folder):
        yield port


def _token(port: int, collection: str, account: tuple[str, str]) -> str:
    path = f"/api/collections/{collection}/auth-with-password"
    answer = call(port, "POST", path, {"identity": account[0], "password": account[1]})
    return str(answer["token"])


def _set_up(port: int) -> None:
    token = _token(port, "_superusers", _SUPERUSER)
    call(port, "PATCH", "/api/settings", {"logs": {"maxDays": 0}}, token)
    call(port, "POST", "/api/collections", _collection(), token)
    email, password = _USER
    reader = {"email": email, "password": password, "passwordConfirm": password}
    call(port, "POST", "/api/collections/users/records", reader, token)


def _collection() -> dict[str, Any]:
    fields = [
        {"name": name, "type": kind} for kind, names in _COLUMNS.items() for name in names.split()
    ]
    # Without it, a page in the middle is twice as slow, and the last one four times.
    index = "CREATE INDEX idx_files_created_at ON files (created_at)"
    rules = {"listRule": _READERS, "viewRule": _READERS}
    return {"name": "files", "type": "base", "fields": fields, "indexes": [index], **rules}


def _fill(path: Path, count: int) -> list[str]:
    values = {
        "count": count,
        "at": sample.CREATED_AT,
        "id": sample.REFERENCE,
        "container": sample.CONTAINER,
        "mime_type": sample.MIME_TYPE,
        "video_tracks": json.dumps(sample.VIDEO_TRACKS),
        "audio_tracks": json.dumps(sample.AUDIO_TRACKS),
        "parents": json.dumps([{"id": sample.REFERENCE, "type": "folder", "is_root": False}]),
    }
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        with database:
            database.execute(_FILL, values)
        database.execute("ANALYZE")
        ids = sample.some_ids(database)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return ids
