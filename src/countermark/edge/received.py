"""Content on its way from a form into the store: gathered, limited, and digested on the way."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from countermark.errors import BodyTooLargeError
from countermark.storage.checksums import Digest
from countermark.storage.gathering import gathered
from countermark.storage.layout import PartNote


class Received:
    """One chunk of an upload while it comes; `pieces` is read once, to its end.

    A batch is digested in one thread while the store writes it in another and the next one comes
    in, so three batches of about 1 MiB are held at most. None of its bytes is copied on the way.
    """

    def __init__(self, content: AsyncIterator[bytes], max_bytes: int) -> None:
        self._content = content
        self._max_bytes = max_bytes
        self._digest = Digest()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the content as it comes.

        Raises:
            BodyTooLargeError: there is more than the limit allows.
        """
        loop = asyncio.get_running_loop()
        digesting: asyncio.Future[None] | None = None
        async for batch in gathered(self._limited()):
            if digesting is not None:
                await digesting
            digesting = loop.run_in_executor(None, self._take, batch)
            for piece in batch:
                yield piece
        if digesting is not None:
            await digesting

    def _take(self, batch: Sequence[bytes]) -> None:
        for piece in batch:
            self._digest.update(piece)

    async def _limited(self) -> AsyncIterator[bytes]:
        total = 0
        async for piece in self._content:
            total += len(piece)
            if total > self._max_bytes:
                raise BodyTooLargeError("The content is larger than the upload allows.")
            yield piece

    def note(self, blob_key: str, chunk: int, chunks: int | None) -> PartNote:
        """Describe what came, after `pieces` has ended."""
        return PartNote(
            blob_key=blob_key,
            chunk=chunk,
            chunks=chunks,
            size=self._digest.size,
            md5=self._digest.md5,
            header_crc=self._digest.header_crc,
        )
