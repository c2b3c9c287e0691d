"""Fetching a file from elsewhere and sending one there, bounded in size and time.

A transfer that breaks off goes on where it was, in this process or in the next one: what has
arrived lies beside the target with a note of what it is a part of.
"""

import asyncio
import errno
from collections.abc import Callable, Coroutine
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Self

import aiohttp
import msgspec

from countermark.errors import (
    PlaceSlowError,
    PlaceTooLargeError,
    PlaceUnreachableError,
    PublicError,
    StorageFullError,
)
from countermark.storage.place import Place, parse
from countermark.work.places.https_place import HttpsPlace
from countermark.work.places.limits import TransferLimits
from countermark.work.places.s3_place import S3Place
from countermark.work.places.sftp_place import SftpPlace
from countermark.work.places.source import Elsewhere, Opened, size_of

LOOK_UP_SECONDS = 0.5
_ATTEMPTS_WITHOUT_PROGRESS = 5
_RATED_AFTER = 60
# Times without a byte that attempts together may take.
_PATIENCE = 10
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# Bytes that have passed, and how many there will be, if known.
Report = Callable[[int, int | None], None]


def fetch(uri: str, path: Path, limits: TransferLimits, report: Report) -> None:
    """Fetch a file.

    Args:
        uri: Where from; see `place`.
        path: Where to; there whole or not at all. `path` with ".part" and ".note" at its end are
            this function's own, and kept for another try.
        limits: What it may cost.
        report: Told how far it is, at least twice a second; what it raises ends the transfer.

    Raises:
        PublicError: Why it can't be done.
    """
    state = _State(limits)
    asyncio.run(_watched(_fetch(_elsewhere(parse(uri), limits), path, state), state, report))


def send(uri: str, path: Path, limits: TransferLimits, report: Report) -> None:
    """Send a file; as `fetch`, the other way round. A further try begins anew."""
    state = _State(limits)
    state.size = size_of(path)
    asyncio.run(_watched(_send(_elsewhere(parse(uri), limits), path, state), state, report))


class _State:
    """How far a transfer is."""

    def __init__(self, limits: TransferLimits) -> None:
        self.limits = limits
        self.size: int | None = None
        self.done = 0
        self.passed = 0  # in this process
        self._begun = self._moved = monotonic()

    def count(self, number: int) -> None:
        self._moved = monotonic()
        self.done += number
        self.passed += number

    def check(self) -> None:
        now = monotonic()
        seconds = now - self._begun
        if now - self._moved > _PATIENCE * self.limits.stall_seconds:
            raise PlaceSlowError(f"Nothing came for {now - self._moved:.0f} seconds.")
        if seconds > self.limits.wall_seconds:
            raise PlaceSlowError(f"It takes more than {self.limits.wall_seconds:g} seconds.")
        if seconds > _RATED_AFTER and self.passed < seconds * self.limits.least_rate:
            raise PlaceSlowError(f"Fewer than {self.limits.least_rate:g} bytes pass in a second.")
        if max(self.done, self.size or 0) > self.limits.most_bytes:
            raise PlaceTooLargeError(f"At most {self.limits.most_bytes} bytes are taken.")


def _elsewhere(place: Place, limits: TransferLimits) -> Elsewhere:
    kinds: dict[str, type[HttpsPlace | S3Place | SftpPlace]] = {
        "http": HttpsPlace,
        "https": HttpsPlace,
        "s3": S3Place,
        "sftp": SftpPlace,
    }
    return kinds[place.scheme](place, internal=limits.internal, stall_seconds=limits.stall_seconds)


async def _watched(work: Coroutine[None, None, None], state: _State, report: Report) -> None:
    """Run, look at the clock meanwhile, and tell how far it is."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_UP_SECONDS))[0]:
            state.check()
            report(state.done, state.size)
    except BaseException:
        task.cancel()
        await asyncio.wait({task})
        raise
    await task


async def _fetch(source: Elsewhere, path: Path, state: _State) -> None:
    with _Part(path) as part:
        await _persistently(lambda: _fetch_on(source, part, state), state)
        part.finish()


async def _send(target: Elsewhere, path: Path, state: _State) -> None:
    def again() -> Coroutine[None, None, None]:
        state.done = 0
        return target.write(path, state.count)

    await _persistently(again, state)


async def _persistently(attempt: Callable[[], Coroutine[None, None, None]], state: _State) -> None:
    """Try again while there is progress, and a few times without."""
    failures = 0
    while True:
        before = state.passed
        try:
            await attempt()
        except PublicError:
            raise
        except (OSError, TimeoutError, aiohttp.ClientError) as error:
            if getattr(error, "errno", None) in _NO_ROOM:
                raise StorageFullError("There is no room for the input.") from error
            failures = 1 if state.passed > before else failures + 1
            if failures >= _ATTEMPTS_WITHOUT_PROGRESS:
                raise PlaceUnreachableError from error
            await asyncio.sleep(state.limits.retry_seconds * 2 ** (failures - 1))
        else:
            return


async def _fetch_on(source: Elsewhere, part: "_Part", state: _State) -> None:
    async with source.read(part.size, part.identity) as opened:
        part.begin(opened)
        state.size, state.done = opened.size, part.size
        state.check()
        async for piece in opened.pieces:
            part.write(piece)
            state.count(len(piece))
            state.check()
        if opened.size is not None and part.size < opened.size:
            raise OSError("it was cut off")


class _Note(msgspec.Struct):
    identity: str | None


class _Part:
    """What has arrived of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._note = path.with_name(f"{path.name}.note")
        self._file: BinaryIO = self._part.open("ab")
        self.size = self._file.tell()
        self.identity = self._noted()
        if self.identity is None:
            self._cut(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def begin(self, opened: Opened) -> None:
        if opened.offset and opened.identity not in {None, self.identity}:
            # A server that does not know If-Range goes on with other content.
            self.identity = None
            self._cut(0)
            raise OSError("the content was replaced meanwhile")
        if opened.offset < self.size or opened.identity != self.identity:
            self._cut(opened.offset)
            self._note.write_bytes(msgspec.json.encode(_Note(opened.identity)))
            self.identity = opened.identity

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.size += len(piece)

    def finish(self) -> None:
        self._file.close()
        self._part.rename(self._path)
        self._note.unlink(missing_ok=True)

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self.size = size

    def _noted(self) -> str | None:
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=_Note).identity
        except (OSError, msgspec.MsgspecError):
            return None
