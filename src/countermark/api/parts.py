"""What the API is given: concrete parts built by bootstrap, behind the names of their ports."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from countermark.catalog.database import Database
from countermark.links.keys import KeyRing
from countermark.links.ledger import Ledger
from countermark.settings import Settings
from countermark.storage.port import BlobStore


def now_ms() -> int:
    """The time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


async def all_ready() -> tuple[str, ...]:
    """Of an API that has nothing behind it that may fail."""
    return ()


@dataclass(frozen=True, kw_only=True)
class ApiParts:
    """The parts behind the API.

    Attributes:
        settings: The checked settings.
        database: The catalog.
        store: Where bytes live; the API only lists the notes of an upload's chunks.
        ring: Gives the current link keys; whoever builds it keeps it fresh.
        ledger: Remembers which single-use signatures were spent.
        enqueue_ingest: Starts the ingest of the upload with this id; blocking, may be repeated.
        clock: Milliseconds since the epoch.
        ready: Names the parts that do not answer.
    """

    settings: Settings
    database: Database
    store: BlobStore
    ring: Callable[[], KeyRing]
    ledger: Ledger
    enqueue_ingest: Callable[[str], None]
    clock: Callable[[], int] = now_ms
    ready: Callable[[], Awaitable[tuple[str, ...]]] = all_ready
