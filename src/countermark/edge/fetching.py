"""Spans of a blob from a store far away: several at once, the next ones on their way meanwhile.

Asked one after another, a copy of many small spans would wait for the store thousands of times.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence

from countermark.edge.sendfile import Spans
from countermark.storage.port import ReadsSpans

# Of what is held for one client: one batch being sent, one on its way.
BATCH_BYTES = 1 << 20
# The first batch is small, so that the first byte comes soon.
FIRST_BYTES = 128 << 10

Batch = list[tuple[int, int]]


async def fetched(store: ReadsSpans, key: str, spans: Spans) -> AsyncGenerator[bytes, None]:
    """The spans' bytes in order, in pieces of any length.

    Raises:
        BlobNotFoundError: there is no such blob.
        StorageError: the store failed, or a span is not in the blob.
    """
    batches = batched(spans, FIRST_BYTES, BATCH_BYTES)
    coming = _begin(store, key, next(batches, None))
    try:
        while coming is not None:
            pieces = await coming
            coming = _begin(store, key, next(batches, None))
            for piece in pieces:
                yield piece
    finally:
        if coming is not None:
            coming.cancel()


def batched(spans: Spans, first: int, most: int) -> Iterator[Batch]:
    """Cut spans into batches: of `first` bytes, then of `most`, the last of what is left."""
    batch: Batch = []
    room = first
    for start, stop in spans:
        at = start
        while at < stop:
            end = min(stop, at + room)
            batch.append((at, end))
            room -= end - at
            at = end
            if not room:
                yield batch
                batch, room = [], most
    if batch:
        yield batch


def _begin(
    store: ReadsSpans, key: str, batch: Batch | None
) -> "asyncio.Task[Sequence[bytes]] | None":
    return None if batch is None else asyncio.create_task(store.read_spans(key, batch))
