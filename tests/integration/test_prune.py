"""What has ended goes, what is needed stays."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.catalog.database import Database
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers.revocations import revocations
from countermark.catalog.records import FileRecord
from countermark.catalog.writers import files as write_files
from countermark.catalog.writers.revocations import revoke
from countermark.catalog.writers.rows import throw_away
from countermark.storage.layout import file_key
from countermark.work import ingest
from countermark.work.parts import now_ms
from countermark.work.prune import (
    ORPHAN_SECONDS,
    forget_revocations,
    prune_ended,
    prune_orphans,
)
from support.hub import Hub


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(database, tmp_path)
    yield hub
    hub.sandbox.close()


def _add(hub: Hub, name: str, expires_at: int | None) -> FileRecord:
    """A file whose bytes are in the store."""
    with hub.database.write() as connection:
        file = hub.owner.new_file(name, expires_at=expires_at)
        key = file_key(file.id)
        path = hub.store.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        return hub.owner.add(connection, name, id=file.id, blob_key=key, expires_at=expires_at)


def _age(path: Path) -> None:
    """Make a file look older than what any process may still be at work on."""
    past = now_ms() / 1000 - ORPHAN_SECONDS - 60
    os.utime(path, (past, past))


def _age_all(hub: Hub) -> None:
    for name in hub.blobs_on_disk():
        _age(hub.blobs / name)


def test_expired_files_lose_their_row_and_their_bytes(hub: Hub) -> None:
    now = now_ms()
    kept = [_add(hub, "later.bin", now + 60_000), _add(hub, "never.bin", None)]
    _add(hub, "over.bin", now - 1)
    prune_ended(hub.parts)
    assert hub.blobs_on_disk() == sorted(str(file.blob_key) for file in kept)


def test_a_deleted_file_s_bytes_go(hub: Hub) -> None:
    file = _add(hub, "a.bin", None)
    with hub.database.write() as connection:
        write_files.delete(connection, file.user_id, file.id, now_ms())
    prune_ended(hub.parts)
    assert hub.blobs_on_disk() == []
    with hub.database.read() as connection:
        assert read_files.file(connection, file.user_id, file.id, now_ms()) is None


def test_a_revocation_stays_as_long_as_a_link_or_a_deleted_file_s_bytes_may(hub: Hub) -> None:
    now = now_ms()
    with hub.database.write() as connection:
        for serial, until in (("over", now - 1), ("alive", now + 60_000), ("ever", None)):
            revoke(connection, "link", serial, until, now)
        throw_away(connection, ["files/00/bytes-left"], now)
    forget_revocations(hub.parts)
    assert _revoked(hub) == {"over", "alive", "ever"}
    prune_ended(hub.parts)
    assert _revoked(hub) == {"alive", "ever"}


def _revoked(hub: Hub) -> set[str]:
    with hub.database.read() as connection:
        return {serial for _, _, serial in revocations(connection)}


def test_an_upload_never_finished_fails_and_loses_its_parts(hub: Hub) -> None:
    over = hub.upload("over.bin", [b"x"], finish=False, ends_at=now_ms() - 1)
    running = hub.upload("running.bin", [b"y"], finish=False)
    finished = hub.upload("finished.bin", [b"z"], ends_at=now_ms() - 1)
    prune_ended(hub.parts)
    assert hub.state(over).status == "FAILED"
    assert hub.state(over).error_msg == "The upload was not finished in time. Start a new one."
    assert _owners_of_parts(hub) == {running.id, finished.id}


def test_parts_of_an_ended_upload_are_swept_and_those_under_way_stay(hub: Hub) -> None:
    ended = hub.upload("ended.bin", [b"x"])
    ingest._fail(hub.parts, ended.id, "no")
    running = hub.upload("running.bin", [b"y"], finish=False)
    _age_all(hub)
    late = hub.upload("late.bin", [b"z"])
    ingest._fail(hub.parts, late.id, "no")
    prune_orphans(hub.parts)
    # What is young may belong to somebody still at work; it goes a day later.
    assert _owners_of_parts(hub) == {running.id, late.id}


def test_a_blob_that_nothing_names_is_swept_once_it_is_old(hub: Hub) -> None:
    named = _add(hub, "named.bin", None)
    waiting = hub.upload("waiting.bin", [b"w"])
    young, old = (file_key("0" * 22 + digit) for digit in ("01", "02"))
    for key in (young, old, file_key(waiting.file_id)):
        hub.store.path(key).parent.mkdir(parents=True, exist_ok=True)
        hub.store.path(key).write_bytes(b"orphan")
    _age(hub.store.path(old))
    _age(hub.store.path(str(named.blob_key)))
    _age(hub.store.path(file_key(waiting.file_id)))
    prune_orphans(hub.parts)
    left = [name for name in hub.blobs_on_disk() if name.startswith("files/")]
    assert left == sorted([str(named.blob_key), young, file_key(waiting.file_id)])


def test_pruning_twice_and_an_empty_hub_are_fine(hub: Hub) -> None:
    for _ in range(2):
        prune_ended(hub.parts)
        prune_orphans(hub.parts)
    assert hub.blobs_on_disk() == []


def _owners_of_parts(hub: Hub) -> set[str]:
    return {name.split("/")[1] for name in hub.blobs_on_disk() if name.startswith("incoming/")}
