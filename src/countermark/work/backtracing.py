"""Tracing a leak among the masters of the catalog: what the worker and the command line share."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from countermark.autograph.index import (
    FRAMES_SIDECAR,
    MAX_ENCODED_BYTES,
    SIDECAR,
    SpliceIndex,
    SpliceIndexError,
    decode,
)
from countermark.autograph.report import GivenCopy, Report, TraceDocument
from countermark.autograph.splice import Copy
from countermark.catalog.readers import autograph as read_autograph
from countermark.catalog.records import FileRecord, IssuedCopy
from countermark.errors import BlobNotFoundError
from countermark.media.child_process import run_in_child
from countermark.storage.layout import sidecar_key
from countermark.storage.port import LocatesBlobs, Store
from countermark.work.parts import WorkParts, now_ms
from countermark.work.trace_child import (
    TRACE,
    Given,
    OfferedMaster,
    TraceOrder,
    asked,
    give,
)
from countermark.work.tracing import TraceOptions

log = structlog.get_logger()

Progress = Callable[[float], None]

MOST_COPIES = 20
_USUAL = TraceOptions()


def trace_leak(
    parts: WorkParts,
    leak: Path,
    name: str,
    masters: Sequence[FileRecord],
    folder: Path,
    on_progress: Progress = lambda _: None,
    options: TraceOptions = _USUAL,
) -> TraceDocument:
    """Find out whose copy of which master a leak was made from.

    Args:
        parts: the catalog, the store, and what the tracing process may use.
        leak: a file of this machine.
        name: of it, for people.
        masters: those that it may show.
        folder: an empty one, to work in.
        on_progress: told the part that is done, at least every half second; what it raises ends
            the trace and is raised on.
        options: how.

    Raises:
        PublicError: the leak brought the process down, or it took too long.
        StorageError: a master could not be read.
    """
    known = _Known(parts, masters, folder)
    order = TraceOrder(str(leak), str(folder), known.offered(), options)

    def serve(part: float) -> None:
        known.answer()
        on_progress(part)

    report = run_in_child(TRACE, order, Report, parts.limits, serve)
    return known.document(name, report)


class _Known:
    """The masters, as far as the tracing process needs them."""

    def __init__(self, parts: WorkParts, masters: Sequence[FileRecord], folder: Path) -> None:
        self._parts = parts
        self._folder = folder
        self._store = parts.store
        self._masters = {master.id: master for master in masters if master.blob_key}
        with parts.database.read() as connection:
            self._keys = {key.id: key.secret for key in read_autograph.keys(connection)}

    def offered(self) -> tuple[OfferedMaster, ...]:
        """Those that can be read; a damaged one must not keep the others from being found."""
        offers = []
        for master in self._masters.values():
            try:
                offers.append(self._offer(master))
            except (BlobNotFoundError, SpliceIndexError, KeyError):
                log.exception("a master cannot be traced", file=master.id)
        return tuple(offers)

    def _offer(self, master: FileRecord) -> OfferedMaster:
        index_path = self._brought(_beside(master, SIDECAR))
        fingerprint = self._brought(_beside(master, FRAMES_SIDECAR))
        # A store far away gives the blob only when it is asked for.
        has_files = isinstance(self._store, LocatesBlobs)
        blob = str(self._brought(master.blob_key or "")) if has_files else ""
        key = self._keys[_read(index_path, master.id).key_id]
        return OfferedMaster(master.id, str(index_path), str(fingerprint), blob, key)

    def answer(self) -> None:
        """Give the process what it has asked for."""
        wanted = asked(self._folder)
        if wanted is None:
            return
        master = self._masters[wanted]
        with self._parts.database.read() as connection:
            tags = msgspec.msgpack.encode(list(read_autograph.tags(connection, master.id)))
        path = self._folder / f"tags-{master.id}"
        path.write_bytes(tags)
        give(self._folder, wanted, Given(str(self._brought(master.blob_key or "")), str(path)))

    def document(self, leak_name: str, report: Report) -> TraceDocument:
        """The report with the names that people know things by."""
        master = self._masters.get(report.master or "")
        if master is None:
            return TraceDocument(
                leak_name=leak_name, master_name=None, traced_at=now_ms(), report=report
            )
        with self._parts.database.read() as connection:
            copies = [
                copy
                for one in report.accused
                for copy in read_autograph.copies(connection, master.id, one.tag, MOST_COPIES)
            ]
        return TraceDocument(
            leak_name=leak_name,
            master_name=master.name,
            traced_at=now_ms(),
            report=report,
            symbols=self._symbols(master, report),
            copies=tuple(map(_given, copies)),
        )

    def _symbols(self, master: FileRecord, report: Report) -> tuple[tuple[int, ...], ...]:
        index = _read(self._brought(_beside(master, SIDECAR)), master.id)
        rows = []
        for one in report.accused:
            copy = Copy(index, self._keys[index.key_id], one.tag)
            symbols = list(copy.symbols(0, len(index)))
            rows.append(tuple(symbols[segment.segment] for segment in report.segments))
        return tuple(rows)

    def _brought(self, key: str) -> Path:
        """A blob as a file: itself where it is one, else a copy in the folder."""
        if isinstance(self._store, LocatesBlobs):
            path = self._store.path(key)
            if not path.exists():
                raise BlobNotFoundError("no such blob")
            return path
        path = self._folder / key.replace("/", "_")
        if not path.exists():
            asyncio.run(_fetch(self._store, key, path))
        return path


def _read(path: Path, master_id: str) -> SpliceIndex:
    if path.stat().st_size > MAX_ENCODED_BYTES:
        raise SpliceIndexError("too large")
    index = decode(path.read_bytes())
    if index.master != master_id:
        raise SpliceIndexError("it is of another master")
    return index


def _beside(master: FileRecord, name: str) -> str:
    return sidecar_key(master.blob_key or "", name)


async def _fetch(store: Store, key: str, path: Path) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        async for piece in store.read(key):
            file.write(piece)
    part.rename(path)


def _given(copy: IssuedCopy) -> GivenCopy:
    return GivenCopy(
        tag=copy.tag,
        given_at=copy.created_at,
        serial=copy.serial,
        application=copy.application_id,
        asked_from=copy.asked_from,
        bound_to=copy.bound_to,
    )
