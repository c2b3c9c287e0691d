"""Removing what has ended: expired files, abandoned uploads, blobs that nothing names.

Each pass is small, may run in several workers at once, and may be cut off anywhere: what it did
not get to is found by the next. The order is always catalog first, bytes after, so that nothing
visible ever lacks its bytes.
"""

import asyncio
from collections.abc import Callable

from countermark.catalog.readers import address_lists as read_lists
from countermark.catalog.readers import backtraces as read_backtraces
from countermark.catalog.readers import revocations as read_revocations
from countermark.catalog.readers import trash as read_trash
from countermark.catalog.readers import uploads as read_uploads
from countermark.catalog.writers import accounts as write_accounts
from countermark.catalog.writers import files as write_files
from countermark.catalog.writers import revocations as write_revocations
from countermark.catalog.writers import uploads as write_uploads
from countermark.storage.layout import (
    FILES_PREFIX,
    INCOMING_PREFIX,
    LISTS_PREFIX,
    REPORTS_PREFIX,
    backtrace_id_of,
    file_id_of,
    upload_id_of,
)
from countermark.work.assemble import clear
from countermark.work.parts import WorkParts, now_ms

BATCH = 500
# A blob nobody names is kept this long, since the one who will name it may still be at work.
ORPHAN_SECONDS = 86_400
# The store knows which writers live; this is for the moment in which one begins.
UNFINISHED_SECONDS = 60
Orphans = Callable[[WorkParts, list[str]], list[str]]
NOT_FINISHED = "The upload was not finished in time. Start a new one."


def prune_ended(parts: WorkParts) -> None:
    """What has a time: expired files, uploads past their end, blobs in the trash."""
    with parts.database.write() as connection:
        write_files.expire(connection, now_ms(), BATCH)
    end_uploads(parts)
    empty_trash(parts)
    forget_revocations(parts)


def end_uploads(parts: WorkParts) -> None:
    """Fail the uploads that were never finished, and remove their parts."""
    with parts.database.read() as connection:
        ended = read_uploads.uploads_to_end(connection, now_ms())
    for upload in ended:
        with parts.database.write() as connection:
            abandoned = write_uploads.abandon(connection, upload.id, NOT_FINISHED, now_ms())
        if abandoned:
            asyncio.run(clear(parts.store, upload.id))


def empty_trash(parts: WorkParts) -> None:
    """Delete the blobs of deleted files."""
    with parts.database.read() as connection:
        keys = read_trash.trash(connection, BATCH)
    if keys:
        asyncio.run(_delete(parts, keys))
        with parts.database.write() as connection:
            write_files.empty_trash(connection, keys)


def forget_revocations(parts: WorkParts) -> None:
    """Drop the revocations whose time is over, once no deleted file has bytes left."""
    now = now_ms()
    with parts.database.read() as connection:
        needless = read_revocations.any_over(connection, now)
        if not needless or read_trash.trash(connection, 1):
            return
    with parts.database.write() as connection:
        write_revocations.forget_revocations(connection, now)


def sweep_unfinished(parts: WorkParts) -> None:
    """What killed processes had begun to write."""
    asyncio.run(parts.store.sweep(UNFINISHED_SECONDS))


def prune_orphans(parts: WorkParts) -> None:
    """What a killed process left behind: parts and blobs without an owner."""
    asyncio.run(_sweep(parts, INCOMING_PREFIX, _orphaned_parts))
    asyncio.run(_sweep(parts, FILES_PREFIX, _orphaned_files))
    asyncio.run(_sweep(parts, LISTS_PREFIX, _orphaned_lists))
    asyncio.run(_sweep(parts, REPORTS_PREFIX, _orphaned_reports))
    with parts.database.write() as connection:
        write_accounts.delete_expired_tokens(connection, now_ms())


async def _sweep(parts: WorkParts, prefix: str, orphans: Orphans) -> None:
    before = now_ms() - ORPHAN_SECONDS * 1000
    batch: list[str] = []
    async for blob in parts.store.list(prefix):
        if blob.modified_at < before:
            batch.append(blob.key)
        if len(batch) == BATCH:
            await _delete(parts, orphans(parts, batch))
            batch = []
    await _delete(parts, orphans(parts, batch))


def _orphaned_parts(parts: WorkParts, keys: list[str]) -> list[str]:
    """Parts of uploads that have ended."""
    owners = {key: upload_id_of(key) for key in keys}
    with parts.database.read() as connection:
        live = read_uploads.live_upload_ids(connection, set(owners.values()))
    return [key for key in keys if owners[key] not in live]


def _orphaned_files(parts: WorkParts, keys: list[str]) -> list[str]:
    """Blobs that no file, no trash and no upload under way names."""
    owners = {key: file_id_of(key) for key in keys}
    with parts.database.read() as connection:
        named = read_trash.known_blob_keys(connection, keys)
        # An ingest between its steps: moved into place, and as old as the client's post.
        awaited = read_uploads.awaited_file_ids(connection, set(owners.values()))
    return [key for key in keys if key not in named and owners[key] not in awaited]


def _orphaned_lists(parts: WorkParts, keys: list[str]) -> list[str]:
    """Compiled lists that no row names, such as of a refresh that was killed."""
    with parts.database.read() as connection:
        used = {record.blob_key for record in read_lists.address_lists(connection)}
    return [key for key in keys if key not in used]


def _orphaned_reports(parts: WorkParts, keys: list[str]) -> list[str]:
    """Reports of traces that were deleted while they were written."""
    owners = {key: backtrace_id_of(key) for key in keys}
    with parts.database.read() as connection:
        known = read_backtraces.known_ids(connection, set(owners.values()))
    return [key for key in keys if owners[key] not in known]


async def _delete(parts: WorkParts, keys: list[str]) -> None:
    for key in keys:
        await parts.store.delete(key)
