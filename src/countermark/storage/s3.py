"""Blobs as objects of an S3 bucket, or of what speaks its protocol.

Differs from the port in two ways. A single post is held to what S3 holds one object to: 10,000
parts of 16 MiB, about 167 GB. And the parts of a killed writer are invisible, but stay until the
bucket's own lifecycle rule (AbortIncompleteMultipartUpload) removes them, so `sweep` finds none.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from countermark.errors import BlobNotFoundError, SettingsError, StorageError
from countermark.storage.layout import check_key
from countermark.storage.port import CHUNK_BYTES, BlobStat

if TYPE_CHECKING:
    # These exist only for type checkers.
    from obstore import ObjectMeta
    from obstore.store import S3Config

# Up to this, one request stores the blob; beyond, a multipart upload in parts of this size.
_PART_BYTES = 16 << 20
# Parts on their way at once: with the one being gathered, 48 MiB are held for each upload.
_CONCURRENCY = 2
# CopyObject takes no more (S3 API reference); larger blobs go through this process.
_MAX_COPY_BYTES = 5 << 30


class S3Store:
    """A store under a prefix of a bucket, of `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`.

    Credentials come from the usual AWS_* variables.

    Raises:
        SettingsError: the URL is malformed or has an unknown option.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        options = parse_qs(parts.query, strict_parsing=bool(parts.query))
        unknown = options.keys() - {"endpoint", "region"}
        if not parts.netloc or unknown or any(len(values) > 1 for values in options.values()):
            raise SettingsError(
                f"COUNTERMARK_STORAGE_URL is {url!r};"
                " accepted: s3://BUCKET/PREFIX?endpoint=URL&region=NAME"
            )
        given = {name: values[0] for name, values in options.items()}
        config: S3Config = {}
        if "endpoint" in given:
            config["endpoint"] = given["endpoint"]
        if "region" in given:
            config["region"] = given["region"]
        self._bucket = Bucket(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options={"allow_http": given.get("endpoint", "").startswith("http:")},
        )

    async def put(self, key: str, source: AsyncIterator[bytes]) -> BlobStat:
        """Store the source's bytes under the key; see the port."""
        check_key(key)
        counted = _Counted(source)
        first = await counted.take(_PART_BYTES)
        with _translated():
            if counted.ended:
                await obstore.put_async(self._bucket, key, first, use_multipart=False)
            else:
                await self._put_parts(key, first, counted)
        stat = await self.stat(key)
        if stat.size != counted.size:
            raise StorageError("the store kept another number of bytes than it was given")
        return stat

    async def _put_parts(self, key: str, first: bytes, rest: "_Counted") -> None:
        async def all_of_it() -> AsyncIterator[bytes]:
            yield first
            async for chunk in rest:
                yield chunk

        try:
            await obstore.put_async(
                self._bucket,
                key,
                all_of_it(),
                use_multipart=True,
                chunk_size=_PART_BYTES,
                max_concurrency=_CONCURRENCY,
            )
        except BaseError:
            # What the source raised comes back wrapped; the caller wants its own.
            if rest.error is not None:
                raise rest.error from None
            raise

    async def read(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield the blob's bytes; see the port."""
        size = (await self.stat(key)).size
        left = size - start if length is None else length
        if start < 0 or left < 0 or start + left > size:
            raise ValueError("range beyond the end of the blob")
        if not left:
            return
        with _translated():
            answer = await obstore.get_async(
                self._bucket, key, options={"range": (start, start + left)}
            )
        stream = aiter(answer.stream(min_chunk_size=CHUNK_BYTES))
        while left:
            with _translated():
                received = memoryview(await anext(stream, b""))
            if not received:
                raise StorageError("the store broke off a read")
            left -= len(received)
            for at in range(0, len(received), CHUNK_BYTES):
                yield bytes(received[at : at + CHUNK_BYTES])

    async def read_spans(self, key: str, spans: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """Read many spans at once; see the port."""
        starts, ends = [start for start, _ in spans], [stop for _, stop in spans]
        with _translated():
            # What lies between two spans is somebody else's copy, and would double what is read.
            received = await obstore.get_ranges_async(
                self._bucket, check_key(key), starts=starts, ends=ends, coalesce=0
            )
        pieces = [bytes(memoryview(piece)) for piece in received]
        if any(len(piece) != end - at for piece, at, end in zip(pieces, starts, ends, strict=True)):
            raise StorageError("a span goes beyond the end of the blob")
        return pieces

    async def stat(self, key: str) -> BlobStat:
        """Describe the blob; see the port."""
        with _translated():
            return _stat_of(await obstore.head_async(self._bucket, check_key(key)))

    async def delete(self, key: str) -> None:
        """Remove the blob if it is there; see the port."""
        with suppress(BlobNotFoundError), _translated():
            await obstore.delete_async(self._bucket, check_key(key))

    async def list(self, prefix: str) -> AsyncIterator[BlobStat]:
        """Describe every blob under the prefix; see the port."""
        # obstore compares whole path segments, the port compares characters.
        pages = aiter(obstore.list(self._bucket, prefix=prefix.rpartition("/")[0] or None))
        while True:
            with _translated():
                page = await anext(pages, None)
            if page is None:
                return
            for meta in page:
                if meta["path"].startswith(prefix):
                    yield _stat_of(meta)

    async def move(self, source: str, target: str) -> None:
        """Copy, then delete; see the port. Over 5 GiB, the bytes pass through this process."""
        check_key(target)
        try:
            size = (await self.stat(source)).size
        except BlobNotFoundError:
            await self.stat(target)
            return
        if size > _MAX_COPY_BYTES:
            await self.put(target, self.read(source))
        else:
            with _translated():
                await obstore.copy_async(self._bucket, source, target)
        await self.delete(source)

    async def sweep(self, older_than_seconds: float) -> int:  # noqa: ARG002 - see the module
        """Nothing to do: the bucket's lifecycle rule sweeps."""
        return 0


class _Counted:
    """A source that counts its bytes and remembers its error."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self.size = 0
        self.ended = False
        self.error: Exception | None = None

    def __aiter__(self) -> "_Counted":
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._source)
        except StopAsyncIteration:
            self.ended = True
            raise
        except Exception as error:
            self.error = error
            raise
        self.size += len(chunk)
        return chunk

    async def take(self, least: int) -> bytes:
        """Gather at least so many bytes, or all there are."""
        gathered = bytearray()
        async for chunk in self:
            gathered += chunk
            if len(gathered) >= least:
                break
        return bytes(gathered)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BlobNotFoundError("no such blob") from error
    except (BaseError, OSError) as error:
        # Its text may hold the address and the bucket: for the log only.
        raise StorageError("S3 request failed") from error


def _stat_of(meta: "ObjectMeta") -> BlobStat:
    return BlobStat(meta["path"], meta["size"], int(meta["last_modified"].timestamp() * 1000))
