"""Blobs as files of a local disk.

A blob is written under a random name in `.partial`, flushed to the disk, and renamed to its key,
so that a name in the tree always stands for whole and durable bytes. `.partial` is of the same
filesystem because it lies under the same root; no key can reach it (none starts with a dot).
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from countermark.errors import BlobNotFoundError, StorageError, StorageFullError
from countermark.storage.gathering import gathered
from countermark.storage.layout import check_key
from countermark.storage.port import CHUNK_BYTES, BlobStat

T = TypeVar("T")

_PARTIAL = ".partial"
# A deleter may remove an emptied folder between a writer's mkdir and its rename.
_RENAME_ATTEMPTS = 8
# Written back while the source goes on, so that little is left for the end and no other process
# has to wait for gigabytes of one upload.
_FLUSH_BYTES = 8 << 20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LocalStore:
    """A store under one folder, which is made if it is missing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._partial = root / _PARTIAL
        with _translated():
            self._partial.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """Where the blob's file is, whether it exists or not."""
        return self._root / check_key(key)

    async def put(self, key: str, source: AsyncIterator[bytes]) -> BlobStat:
        """Store the source's bytes under the key; see the port.

        Up to 2 MiB of the source are held: one batch being written while the next is gathered.
        """
        target = self.path(key)
        unfinished = _Unfinished(self._partial / secrets.token_hex(12))
        try:
            await _finish(unfinished.open)
            await _write_all(unfinished, source)
            return await _finish(unfinished.commit, key, target)
        finally:
            await _finish(unfinished.discard)

    async def read(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield the blob's bytes; see the port."""
        with _translated():
            file = await asyncio.to_thread(self.path(key).open, "rb", buffering=0)
        try:
            left = _span(os.fstat(file.fileno()).st_size, start, length)
            while left:
                with _translated():
                    chunk = await asyncio.to_thread(
                        os.pread, file.fileno(), min(left, CHUNK_BYTES), start
                    )
                if not chunk:
                    raise StorageError("a blob's file is shorter than it was")
                start, left = start + len(chunk), left - len(chunk)
                yield chunk
        finally:
            file.close()

    async def stat(self, key: str) -> BlobStat:
        """Describe the blob; see the port."""
        with _translated():
            return _stat_of(key, await asyncio.to_thread(self.path(key).stat))

    async def delete(self, key: str) -> None:
        """Remove the blob if it is there, and the folders that this empties."""
        await asyncio.to_thread(self._delete, self.path(key))

    def _delete(self, path: Path) -> None:
        with _translated(), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        self._prune(path.parent)

    def _prune(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            while folder != self._root:
                folder.rmdir()
                folder = folder.parent

    async def list(self, prefix: str) -> AsyncIterator[BlobStat]:
        """Describe every blob under the prefix; see the port."""
        for stat in await asyncio.to_thread(_walk, self._root, prefix):
            yield stat

    async def move(self, source: str, target: str) -> None:
        """Rename the blob's file; see the port."""
        await _finish(self._move, self.path(source), self.path(target))

    def _move(self, source: Path, target: Path) -> None:
        with _translated():
            if not source.exists() and target.exists():
                return
            _rename(source, target)
            _flush_folder(source.parent)
        self._prune(source.parent)

    async def sweep(self, older_than_seconds: float) -> int:
        """Remove files of dead writers; a living one holds a lock on its own."""
        return await asyncio.to_thread(self._sweep, time.time() - older_than_seconds)

    def _sweep(self, before: float) -> int:
        swept = 0
        with _translated():
            for path in self._partial.iterdir():
                with (
                    contextlib.suppress(FileNotFoundError, BlockingIOError),
                    path.open("rb") as file,
                ):
                    if os.fstat(file.fileno()).st_mtime <= before:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        path.unlink()
                        swept += 1
        return swept


class _Unfinished:
    """A blob while it is written. Every method blocks, so each runs in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._size = self._flushed = 0

    def open(self) -> None:
        with _translated():
            self._file = self._path.open("xb", buffering=0)
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def write(self, batch: Sequence[bytes]) -> None:
        with _translated():
            for piece in batch:
                view = memoryview(piece)
                while view:
                    view = view[self._opened.write(view) :]
                self._size += len(piece)
            if self._size - self._flushed >= _FLUSH_BYTES:
                self._start_flush()

    def _start_flush(self) -> None:
        # Linux starts to write the range's dirty pages and returns. Only clean pages are dropped
        # from memory, so these stay for the worker, who reads them next.
        length = self._size - self._flushed
        os.posix_fadvise(self._opened.fileno(), self._flushed, length, os.POSIX_FADV_DONTNEED)
        self._flushed = self._size

    def commit(self, key: str, target: Path) -> BlobStat:
        with _translated():
            os.fsync(self._opened.fileno())
            stat = os.fstat(self._opened.fileno())
            _rename(self._path, target)
        return _stat_of(key, stat)

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
        # After a commit the name is gone already.
        self._path.unlink(missing_ok=True)

    @property
    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise ValueError("not open")
        return self._file


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BlobNotFoundError("no such blob") from error
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFullError from error
        raise StorageError(f"local disk: {error.strerror}") from error


def _removed_if_dead(path: Path, before: float) -> bool:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mtime > before:
            return False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
        return True


def _stat_of(key: str, stat: os.stat_result) -> BlobStat:
    return BlobStat(key, stat.st_size, stat.st_mtime_ns // 1_000_000)


def _walk(root: Path, prefix: str) -> list[BlobStat]:
    found = []
    with _translated():
        # The prefix's folder part narrows the walk; the rest is compared.
        for folder, folders, names in os.walk(root / prefix.rpartition("/")[0]):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(folder, name)
                key = path.relative_to(root).as_posix()
                if key.startswith(prefix):
                    # It may have been deleted since the folder was read.
                    with contextlib.suppress(FileNotFoundError):
                        found.append(_stat_of(key, path.stat()))
    return found


def _span(size: int, start: int, length: int | None) -> int:
    """How many bytes to read, or `ValueError` if they are not all there."""
    left = size - start if length is None else length
    if start < 0 or left < 0 or start + left > size:
        raise ValueError("range beyond the end of the blob")
    return left


async def _write_all(unfinished: "_Unfinished", source: AsyncIterator[bytes]) -> None:
    """Write batch by batch, each while the source makes the next one."""
    loop = asyncio.get_running_loop()
    writing: asyncio.Future[None] | None = None
    try:
        async for batch in gathered(source):
            if writing is not None:
                await asyncio.shield(writing)
            writing = loop.run_in_executor(None, unfinished.write, batch)
        if writing is not None:
            await asyncio.shield(writing)
    finally:
        # The file must stay open until the thread lets go of it.
        if writing is not None:
            await asyncio.wait([writing])


def _rename(source: Path, target: Path) -> None:
    for attempt in range(_RENAME_ATTEMPTS):
        _make_folder(target.parent)
        try:
            source.replace(target)
        except FileNotFoundError:
            if attempt == _RENAME_ATTEMPTS - 1 or not source.exists():
                raise
        else:
            _flush_folder(target.parent)
            return


def _make_folder(folder: Path) -> None:
    """Make it and what lies above; a new folder's own name must be durable, too."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def _finish(function: Callable[..., T], *args: object) -> T:
    """Run in a thread to the end, even if the caller is cancelled meanwhile."""
    work = asyncio.create_task(asyncio.to_thread(function, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
