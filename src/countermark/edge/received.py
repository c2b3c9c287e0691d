"""Content on its way from a form into the store: gathered, limited, and digested on the way."""

import asyncio
from collections.abc import AsyncIterator

from countermark.errors import BodyTooLargeError
from countermark.storage.checksums import Digest
from countermark.storage.layout import HEAD_BYTES, PartNote
from countermark.storage.port import CHUNK_BYTES


class Received:
    """One chunk of an upload while it comes; `batches` is read once, to its end.

    A batch is digested in one thread while the store writes it in another and the next one comes
    in, so three batches of about 1 MiB are held at most.
    """

    def __init__(self, content: AsyncIterator[bytes], max_bytes: int) -> None:
        self._content = content
        self._max_bytes = max_bytes
        self._digest = Digest()
        self._head = b""

    async def batches(self) -> AsyncIterator[bytes]:
        """Yield the content in pieces of about 1 MiB.

        Raises:
            BodyTooLargeError: there is more than the limit allows.
        """
        digesting: asyncio.Task[None] | None = None
        async for batch in self._gathered():
            if digesting is not None:
                await digesting
            if not self._head:
                self._head = batch[:HEAD_BYTES]
            digesting = asyncio.create_task(asyncio.to_thread(self._digest.update, batch))
            yield batch
        if digesting is not None:
            await digesting

    async def _gathered(self) -> AsyncIterator[bytes]:
        pieces: list[bytes] = []
        gathered = total = 0
        async for piece in self._content:
            pieces.append(piece)
            gathered += len(piece)
            total += len(piece)
            if total > self._max_bytes:
                raise BodyTooLargeError("The content is larger than the upload allows.")
            if gathered >= CHUNK_BYTES:
                yield b"".join(pieces)
                pieces, gathered = [], 0
        if pieces:
            yield b"".join(pieces)

    def note(self, blob_key: str, chunk: int, chunks: int | None) -> PartNote:
        """Describe what came, after `batches` has ended."""
        return PartNote(
            blob_key=blob_key,
            chunk=chunk,
            chunks=chunks,
            size=self._digest.size,
            md5=self._digest.md5,
            header_crc=self._digest.header_crc,
            head=self._head,
        )
