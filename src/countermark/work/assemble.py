"""From the parts of an upload to one blob.

A single part already is the whole: it is moved. Several are read in the order of their numbers
and written as one, with the checksums taken on the way. Either may be cut off and done again.
"""

from collections.abc import AsyncIterator, Iterable

import msgspec

from countermark.storage.checksums import Digest
from countermark.storage.layout import PartNote, file_key, upload_prefix
from countermark.storage.port import Store


class Assembled(msgspec.Struct, frozen=True):
    """A finished blob: where it is, its size in bytes, and its checksums."""

    blob_key: str
    size: int
    md5: str
    header_crc: str


class MissingPartError(Exception):
    """A part that was there when the upload was finished is gone."""


async def assemble(store: Store, upload_id: str, file_id: str, nb_chunks: int) -> Assembled:
    """Make the file's blob of the upload's parts.

    Raises:
        MissingPartError: one of the parts 0 … nb_chunks - 1 is not there.
    """
    notes = await _notes(store, upload_id, nb_chunks)
    target = file_key(file_id)
    if nb_chunks == 1:
        note = notes[0]
        await store.move(note.blob_key, target)
        return Assembled(target, note.size, note.md5, note.header_crc)
    digest = Digest()
    await store.put(target, _digested(_joined(store, notes), digest))
    return Assembled(target, digest.size, digest.md5, digest.header_crc)


async def clear(store: Store, upload_id: str) -> None:
    """Remove whatever is left of the upload's parts."""
    for key in [blob.key async for blob in store.list(upload_prefix(upload_id))]:
        await store.delete(key)


async def _notes(store: Store, upload_id: str, nb_chunks: int) -> list[PartNote]:
    found: dict[int, PartNote] = {}
    async for blob in store.list(upload_prefix(upload_id)):
        if blob.key.endswith(".json"):
            text = b"".join([piece async for piece in store.read(blob.key)])
            note = msgspec.json.decode(text, type=PartNote)
            found[note.chunk] = note
    missing = [number for number in range(nb_chunks) if number not in found]
    if missing:
        raise MissingPartError(f"parts {missing[:10]} of upload {upload_id} are gone")
    return [found[number] for number in range(nb_chunks)]


async def _joined(store: Store, notes: Iterable[PartNote]) -> AsyncIterator[bytes]:
    for note in notes:
        async for piece in store.read(note.blob_key):
            yield piece


async def _digested(source: AsyncIterator[bytes], digest: Digest) -> AsyncIterator[bytes]:
    async for piece in source:
        digest.update(piece)
        yield piece
