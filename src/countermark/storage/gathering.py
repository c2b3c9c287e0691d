"""Gathers a stream's small pieces into batches worth a hop to another thread."""

from collections.abc import AsyncIterator

from countermark.storage.port import CHUNK_BYTES

# More pieces than this are joined: each costs a system call and a fight for the interpreter's
# lock, and copying them is cheaper. Fewer are not, because a copy costs a tenth of their MD5.
_FEW = 16


async def gathered(source: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Yield all of the source's bytes in lists of at least 1 MiB, but for the last.

    A hop to a thread costs as much as writing 100 kB.
    """
    pieces: list[bytes] = []
    size = 0
    async for piece in source:
        pieces.append(piece)
        size += len(piece)
        if size >= CHUNK_BYTES:
            yield _few(pieces)
            pieces, size = [], 0
    if size:
        yield _few(pieces)


def _few(pieces: list[bytes]) -> list[bytes]:
    return pieces if len(pieces) <= _FEW else [b"".join(pieces)]
