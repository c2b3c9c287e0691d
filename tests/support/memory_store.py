"""A store in memory: for tests of what stands on a store."""

import time
from collections.abc import AsyncIterator

from countermark.errors import BlobNotFoundError
from countermark.storage.layout import check_key
from countermark.storage.port import CHUNK_BYTES, BlobStat


class MemoryStore:
    def __init__(self) -> None:
        self.blobs: dict[str, tuple[bytes, int]] = {}

    async def put(self, key: str, source: AsyncIterator[bytes]) -> BlobStat:
        check_key(key)
        data = b"".join([chunk async for chunk in source])
        self.blobs[key] = data, time.time_ns() // 1_000_000
        return await self.stat(key)

    async def read(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        size = (await self.stat(key)).size
        stop = size if length is None else start + length
        if not 0 <= start <= stop <= size:
            raise ValueError("range beyond the end of the blob")
        data = self.blobs[key][0]
        for at in range(start, stop, CHUNK_BYTES):
            yield data[at : min(at + CHUNK_BYTES, stop)]

    async def stat(self, key: str) -> BlobStat:
        try:
            data, modified_at = self.blobs[check_key(key)]
        except KeyError as error:
            raise BlobNotFoundError("no such blob") from error
        return BlobStat(key, len(data), modified_at)

    async def delete(self, key: str) -> None:
        self.blobs.pop(check_key(key), None)

    async def list(self, prefix: str) -> AsyncIterator[BlobStat]:
        for key in list(self.blobs):
            if key.startswith(prefix) and key in self.blobs:
                yield await self.stat(key)

    async def move(self, source: str, target: str) -> None:
        check_key(target)
        if source not in self.blobs:
            await self.stat(target)
            return
        self.blobs[target] = self.blobs[check_key(source)]
        if source != target:
            del self.blobs[source]

    async def sweep(self, older_than_seconds: float) -> int:  # noqa: ARG002 - nothing to sweep
        return 0
