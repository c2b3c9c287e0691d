"""Keeps the operator's address lists: loads them, renews them on schedule, drops them.

A list is compiled here, once, into a blob that every edge loads; the row in the catalog names
the blob. A list that turns out broken leaves the row as it is, with a note of what was wrong.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from countermark.catalog.database import Database
from countermark.catalog.readers import address_lists as read_lists
from countermark.catalog.records import AddressListRecord
from countermark.catalog.writers import address_lists as write_lists
from countermark.errors import AddressListError
from countermark.links.netset.lists import AddressList, AddressLists, ListKind
from countermark.links.netset.ranges import Ranges
from countermark.links.netset.read import read_list
from countermark.storage.layout import list_key
from countermark.storage.port import BlobStore
from countermark.work.list_source import fetched, shown
from countermark.work.parts import now_ms

log = structlog.get_logger()

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
# Nobody's list loses half of itself from one day to the next; a file cut off does.
LEAST_SHARE_LEFT = 0.5
# A list is somebody's for this long while it is renewed; a worker that dies loses it then.
CLAIM_MS = 600_000
LONGEST_RETRY_SECONDS = 3600


@dataclass(frozen=True)
class ListKeeper:
    """What the lists need.

    Attributes:
        database: has a row for each list.
        store: has the compiled lists.
        spool: a folder for copies while they are read.
    """

    database: Database
    store: BlobStore
    spool: Path

    def add(
        self, name: str, kind: ListKind, source: str, every: int | None, *, internal: bool
    ) -> AddressListRecord:
        """Load a new list, and keep it if it is good.

        Args:
            name: lower-case letters, digits, "._-".
            kind: why its addresses are refused.
            source: a URL, or a file's absolute path.
            every: seconds between refreshes by the worker; None for never.
            internal: whether a URL may lead into private networks.

        Raises:
            AddressListError: the name is taken or impossible, or the list is broken.
        """
        if not NAME.match(name):
            raise AddressListError(f"{name!r} is no name: give up to 64 of a-z, 0-9, '.', '_', '-'")
        ranges = self._load(source, internal=internal)
        key = asyncio.run(self._keep(name, ranges))
        record = _new_record(name, kind, source, every, key, len(ranges), internal=internal)
        with self.database.write() as connection:
            added = write_lists.add_list(connection, record)
        if not added:
            asyncio.run(self.store.delete(key))
            raise AddressListError(f"there is a list {name!r} already; remove it first")
        return record

    def refresh(self, record: AddressListRecord, *, force: bool = False) -> int:
        """Load a list anew.

        Args:
            record: the list, as it is.
            force: also if it has less than half of the ranges that it had.

        Returns:
            How many ranges it has now.

        Raises:
            AddressListError: it is broken; the list in use stays, with a note of the reason.
        """
        try:
            ranges = self._load(record.source, internal=record.internal)
            if not force:
                _check_shrinkage(record, len(ranges))
        except AddressListError as error:
            self._note(record, str(error))
            raise
        key = asyncio.run(self._keep(record.name, ranges))
        with self.database.write() as connection:
            kept = write_lists.replace_list(connection, record.name, key, len(ranges), now_ms())
        if not kept:
            asyncio.run(self.store.delete(key))
            raise AddressListError(f"the list {record.name!r} was removed meanwhile")
        return len(ranges)

    def refresh_due(self) -> None:
        """Refresh each list whose time has come, unless another worker does."""
        with self.database.read() as connection:
            due = read_lists.due_lists(connection, now_ms())
        for record in due:
            with self.database.write() as connection:
                mine = write_lists.claim_list(
                    connection, record.name, record.due_at or 0, now_ms() + CLAIM_MS
                )
            if mine:
                self._refresh_quietly(record)

    def load(self) -> AddressLists:
        """The lists as they are in use.

        Raises:
            StorageError: a compiled list cannot be read.
        """
        with self.database.read() as connection:
            records = read_lists.address_lists(connection)
        return AddressLists(asyncio.run(self._compiled(record)) for record in records)

    def _refresh_quietly(self, record: AddressListRecord) -> None:
        try:
            ranges = self.refresh(record)
        except AddressListError as error:
            source = shown(record.source)
            log.warning("address list not renewed", list=record.name, source=source, why=str(error))
        else:
            log.info("address list renewed", list=record.name, ranges=ranges)

    def _load(self, source: str, *, internal: bool) -> Ranges:
        with fetched(source, internal=internal, spool=self.spool) as path:
            return read_list(path)

    def _note(self, record: AddressListRecord, problem: str) -> None:
        due_at = None
        if record.every is not None:
            due_at = now_ms() + min(record.every, LONGEST_RETRY_SECONDS) * 1000
        with self.database.write() as connection:
            write_lists.note_problem(connection, record.name, problem, due_at)

    async def _keep(self, name: str, ranges: Ranges) -> str:
        key = list_key(name)
        await self.store.put(key, _once(ranges.dump()))
        return key

    async def _compiled(self, record: AddressListRecord) -> AddressList:
        raw = b"".join([piece async for piece in self.store.read(record.blob_key)])
        return AddressList(record.name, ListKind(record.kind), Ranges.load(raw))


def _new_record(
    name: str,
    kind: ListKind,
    source: str,
    every: int | None,
    blob_key: str,
    ranges: int,
    *,
    internal: bool,
) -> AddressListRecord:
    now = now_ms()
    return AddressListRecord(
        name=name,
        kind=kind,
        source=source,
        internal=internal,
        every=every,
        blob_key=blob_key,
        ranges=ranges,
        problem=None,
        loaded_at=now,
        due_at=None if every is None else now + every * 1000,
        created_at=now,
    )


def _check_shrinkage(record: AddressListRecord, left: int) -> None:
    if left < record.ranges * LEAST_SHARE_LEFT:
        raise AddressListError(
            f"it has {left} ranges left of {record.ranges}; if that is right:"
            f" countermark lists refresh {record.name} --force"
        )


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
