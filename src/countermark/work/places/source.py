"""What every kind of place elsewhere offers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

PIECE_BYTES = 1 << 18


class Opened(NamedTuple):
    """A file that is being read.

    Attributes:
        offset: Where the pieces begin: what was asked for, or 0 if that is no longer possible.
        size: Of the whole file, bytes; None if it isn't told.
        identity: Tells whether a later reading is of the same content; None if nothing does.
        pieces: The bytes.
    """

    offset: int
    size: int | None
    identity: str | None
    pieces: AsyncIterator[bytes]


class Elsewhere(Protocol):
    """A file elsewhere.

    Both raise a `PublicError` for what trying again doesn't change, and whatever else (OSError,
    TimeoutError) for what it may. They may be cancelled at any time.
    """

    def read(self, offset: int, identity: str | None) -> AbstractAsyncContextManager[Opened]:
        """Read from an offset on, if the content still has this identity; else from 0."""
        ...

    async def write(self, path: Path, sent: Callable[[int], None]) -> None:
        """Replace it by a local file; whole or not at all where the place knows how.

        Args:
            path: The local file.
            sent: Told the bytes that have been sent since it was told last.
        """
        ...


def size_of(path: Path) -> int:
    """Bytes of a local file."""
    return path.stat().st_size


async def pieces_of(path: Path, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The bytes of a local file, and how many of them were taken."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
            sent(len(piece))
