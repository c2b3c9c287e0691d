"""What an edge follows in the catalog beside its event loop: revocations and address lists.

Each of these is called every few seconds, by one thread, and gives what holds now. An edge that
loses the catalog goes on with what it knows.
"""

import asyncio
import time

import structlog

from countermark.catalog.database import Database
from countermark.catalog.readers.address_lists import address_lists
from countermark.catalog.readers.revocations import revocations
from countermark.catalog.records import AddressListRecord
from countermark.errors import AddressListError, BlobNotFoundError, StorageError
from countermark.links.netset.lists import AddressList, AddressLists, ListKind
from countermark.links.netset.ranges import Ranges
from countermark.links.revocations import Revocation, Revocations, Revoked
from countermark.storage.port import BlobStore

log = structlog.get_logger(__name__)

# Everything is read anew this often, which lets go of what the catalog has forgotten.
WHOLE_SECONDS = 60.0
# Transactions may commit in another order than they took their numbers.
OVERLAP = 1000


class FollowedRevocations:
    """Reads what was revoked since the last time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = Revocations()
        self._last = -1
        self._whole_at = 0.0

    def __call__(self) -> Revocations:
        """Everything that is revoked now.

        Raises:
            UnavailableError: the catalog cannot be reached.
        """
        whole = time.monotonic() >= self._whole_at
        with self._database.read() as connection:
            rows = revocations(connection, -1 if whole else self._last - OVERLAP)
        found = {Revocation(Revoked(kind), id_) for _, kind, id_ in rows}
        if whole:
            self._known = Revocations(found)
            self._whole_at = time.monotonic() + WHOLE_SECONDS
        elif not found <= self._known.all:
            self._known = Revocations(self._known.all | found)
        self._last = max((number for number, _, _ in rows), default=self._last)
        return self._known


class FollowedLists:
    """Loads the compiled address lists that are new."""

    def __init__(self, database: Database, store: BlobStore) -> None:
        self._database = database
        self._store = store
        self._loaded: dict[str, tuple[AddressListRecord, Ranges]] = {}
        self._lists = AddressLists()

    def __call__(self) -> AddressLists:
        """The lists in use now; of one that cannot be loaded, its last good form.

        Raises:
            UnavailableError: the catalog cannot be reached.
        """
        with self._database.read() as connection:
            records = address_lists(connection)
        known = {name: record.blob_key for name, (record, _) in self._loaded.items()}
        if known == {record.name: record.blob_key for record in records}:
            return self._lists
        names = {record.name for record in records}
        self._loaded = {name: one for name, one in self._loaded.items() if name in names}
        for record in records:
            if known.get(record.name) != record.blob_key:
                self._load(record)
        self._lists = AddressLists(
            AddressList(name, ListKind(record.kind), ranges)
            for name, (record, ranges) in self._loaded.items()
        )
        return self._lists

    def _load(self, record: AddressListRecord) -> None:
        try:
            raw = asyncio.run(self._read(record.blob_key))
            self._loaded[record.name] = record, Ranges.load(raw)
        except BlobNotFoundError:
            # Replaced since the row was read: the next round finds the new one.
            log.info("address list is being replaced", list=record.name)
        except (AddressListError, StorageError):
            log.exception("address list cannot be loaded", list=record.name)
        else:
            log.info("address list loaded", list=record.name, ranges=record.ranges)

    async def _read(self, key: str) -> bytes:
        return b"".join([piece async for piece in self._store.read(key)])
