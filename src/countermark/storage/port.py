"""The blob port: what the hub asks of the place where bytes live.

A blob is a sequence of bytes under a key. Keys are made by the hub, never by a user: ASCII
letters, digits and "._-/", no empty segment and none that starts with ".", at most 200 bytes; no
blob's key is the folder of another's. Any other key is the caller's error: `ValueError`. A blob
is immutable: it is there whole or not at all, and never changes in place.

Contract of every store, checked by one shared suite (tests/conformance/store_suite.py):

- `put` makes the blob visible only when every byte is durable. If the source raises, or the task
  is cancelled, or the process dies, nothing becomes visible and what was written is removed, then
  or by `sweep` (a cancellation that arrives in the last step may find the blob whole). Putting an
  existing key replaces it atomically; readers of the old blob keep it.
- `read` yields exactly the bytes asked for, in chunks of at most 1 MiB, and raises
  `BlobNotFoundError` before the first chunk when the key is unknown. A range beyond the end is
  the caller's error: `ValueError`.
- `delete` of an unknown key succeeds. It may be repeated.
- `list` gives every visible blob whose key starts with the prefix, in any order.
- Any other failure is a `StorageError` with its cause, or `StorageFullError` when there is no
  room. All methods may be called from several tasks and processes at once. Cancellation is safe
  everywhere.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

CHUNK_BYTES = 1 << 20


class BlobStat(NamedTuple):
    """What a store knows of a blob: its key, size in bytes, and modification time (ms, epoch)."""

    key: str
    size: int
    modified_at: int


class BlobStore(Protocol):
    """Five methods that every store has."""

    async def put(self, key: str, source: AsyncIterator[bytes]) -> BlobStat:
        """Store the source's bytes under the key; durable and atomic."""
        ...

    def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yield `length` bytes from offset `start`, or all the rest."""
        ...

    async def stat(self, key: str) -> BlobStat:
        """Describe the blob, or raise `BlobNotFoundError`."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the blob if it is there."""
        ...

    def list(self, prefix: str) -> AsyncIterator[BlobStat]:
        """Describe every blob under the prefix."""
        ...


@runtime_checkable
class LocatesBlobs(Protocol):
    """Ability: blobs are files of this machine, which makes zero-copy possible."""

    def path(self, key: str) -> Path:
        """Where the blob's file is, whether it exists or not."""
        ...


@runtime_checkable
class ReadsSpans(Protocol):
    """Ability: read many spans of a blob at once, for stores where asking takes its time."""

    async def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """The bytes of each span (first byte, first byte after it), none of them empty.

        Raises:
            BlobNotFoundError: there is no such blob.
            StorageError: the store failed, or a span goes beyond the end.
        """
        ...


class BlobMover(Protocol):
    """Ability: give a blob another key without passing its bytes through this process.

    The two real stores both have it. Idempotent: moving again after success succeeds as long as
    the target is there.
    """

    async def move(self, source: str, target: str) -> None:
        """Move atomically, replacing the target, or raise `BlobNotFoundError`."""
        ...


class Sweeps(Protocol):
    """Ability: remove what killed writers left behind."""

    async def sweep(self, older_than_seconds: float) -> int:
        """Remove unfinished writes older than this; return how many."""
        ...


class Store(BlobStore, BlobMover, Sweeps, Protocol):
    """What the hub is started with: a store that also moves and sweeps."""
