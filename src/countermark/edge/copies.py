"""Recipients' copies of masters: which bytes of the blob each consists of.

A master's splice index is read once and kept, as many as fit; a download of another recipient's
copy then costs some hashes. There is no way to a master's blob but through a copy: a link that
says that its blob holds variants is served spliced or not at all.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import structlog

from countermark.autograph.index import (
    MAX_ENCODED_BYTES,
    SIDECAR,
    SpliceIndex,
    SpliceIndexError,
    decode,
)
from countermark.autograph.splice import Copy
from countermark.edge.sending import Layout, as_it_stands
from countermark.errors import BlobNotFoundError, InternalError, LinkTargetGoneError
from countermark.links.link import Link
from countermark.storage.layout import file_id_of, sidecar_key
from countermark.storage.port import BlobStore

log = structlog.get_logger(__name__)

# A film of two hours has 10,000 segments, which take about 300 kB.
KEPT_SEGMENTS = 1_000_000

Keys = Callable[[], Mapping[int, bytes]]


class Copies:
    """Lays out what links ask for.

    Args:
        store: where the blobs and their indexes are.
        keys: gives the autograph keys by their ids; asked at every copy, so it must not block.
    """

    def __init__(self, store: BlobStore, keys: Keys) -> None:
        self._store = store
        self._keys = keys
        self._kept: OrderedDict[str, SpliceIndex] = OrderedDict()
        self._segments = 0

    async def layout(self, link: Link) -> Layout:
        """Where the link's bytes are in its blob.

        Raises:
            LinkTargetGoneError: the master is not there any more.
            InternalError: its index is damaged or of another file, or its key is unknown.
            StorageError: the store failed.
        """
        if link.variants == 1:
            return as_it_stands
        index = self._kept.get(link.blob_key)
        if index is None:
            index = self._keep(link.blob_key, await self._read(link.blob_key))
        self._kept.move_to_end(link.blob_key)
        return self._copy(link, index).spans

    def _copy(self, link: Link, index: SpliceIndex) -> Copy:
        if (index.size, index.variants) != (link.size, link.variants):
            log.error("a master's index does not fit its link", file=link.file)
            raise InternalError
        key = self._keys().get(index.key_id)
        if key is None:
            log.error("an autograph key is missing", key=index.key_id, file=link.file)
            raise InternalError
        return Copy(index, key, link.mark)

    async def _read(self, blob_key: str) -> SpliceIndex:
        key = sidecar_key(blob_key, SIDECAR)
        try:
            stat = await self._store.stat(key)
            length = min(stat.size, MAX_ENCODED_BYTES + 1)
            data = b"".join([piece async for piece in self._store.read(key, 0, length)])
        except BlobNotFoundError as error:
            raise LinkTargetGoneError from error
        try:
            return _checked(decode(data), blob_key)
        except SpliceIndexError as error:
            log.exception("a master's index cannot be used", blob=blob_key)
            raise InternalError from error

    def _keep(self, blob_key: str, index: SpliceIndex) -> SpliceIndex:
        if blob_key not in self._kept:
            self._kept[blob_key] = index
            self._segments += len(index)
        while self._segments > KEPT_SEGMENTS and len(self._kept) > 1:
            self._segments -= len(self._kept.popitem(last=False)[1])
        return index


def _checked(index: SpliceIndex, blob_key: str) -> SpliceIndex:
    if index.master != file_id_of(blob_key):
        raise SpliceIndexError("it is of another master")
    return index
