"""The workflow of a backtrace: from a leak that was uploaded to a report.

The row of the catalog is the truth; the queue is fed from it. A worker that is killed begins the
trace anew, here or elsewhere: it takes a minute or so, and leaves nothing behind but its end.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from time import monotonic, sleep

import msgspec
import structlog
from dbos import DBOS

from countermark.autograph.report import TraceDocument, in_short
from countermark.autograph.report_page import render
from countermark.catalog.backtrace_records import BacktraceRecord
from countermark.catalog.readers import autograph as read_autograph
from countermark.catalog.readers import backtraces as read_backtraces
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import uploads as read_uploads
from countermark.catalog.records import FileRecord
from countermark.catalog.writers import backtraces as write_backtraces
from countermark.errors import BacktraceInputMissingError, InternalError, PublicError
from countermark.storage.layout import report_key
from countermark.work.backtracing import trace_leak
from countermark.work.parts import BACKTRACE_WORKFLOW, WorkParts, now_ms
from countermark.work.queue import WorkQueue, forget_ended, trace_id
from countermark.work.workspace import bring_input

log = structlog.get_logger()

_FOLDER = "backtraces"
INGEST_SECONDS = 600.0
LOOK_SECONDS = 0.2
TOLD_SECONDS = 1.0


class NotWantedError(Exception):
    """The backtrace was deleted while it was worked on."""


def define_backtraces(parts: WorkParts) -> Callable[[str], None]:
    """Register the workflow with DBOS; to be called once, before its launch."""

    @DBOS.step(name="backtrace.trace", retries_allowed=True, max_attempts=3, should_retry=_passing)
    def trace_step(backtrace_id: str) -> None:
        _trace(parts, backtrace_id)

    @DBOS.step(name="backtrace.fail", retries_allowed=True, max_attempts=10)
    def fail_step(backtrace_id: str, error: PublicError) -> None:
        with parts.database.write() as connection:
            write_backtraces.fail(connection, backtrace_id, error, now_ms())

    @DBOS.workflow(name=BACKTRACE_WORKFLOW, max_recovery_attempts=None)
    def backtrace(backtrace_id: str) -> None:
        try:
            trace_step(backtrace_id)
        except NotWantedError:
            log.info("backtrace not wanted any more", backtrace=backtrace_id)
        except PublicError as error:
            log.info("backtrace failed", backtrace=backtrace_id, code=error.code)
            fail_step(backtrace_id, error)
        except Exception:
            log.exception("backtrace failed by the service", backtrace=backtrace_id)
            fail_step(backtrace_id, InternalError("Ask for a new backtrace."))

    return backtrace


class BacktraceFeed:
    """Brings backtraces that wait to the queue.

    Args:
        parts: what the worker is made of.
        queue: where to.
    """

    def __init__(self, parts: WorkParts, queue: WorkQueue) -> None:
        self._parts = parts
        self._queue = queue
        self._fed: set[str] = set()

    def feed(self) -> None:
        """Bring those that are new."""
        waiting = self._waiting()
        for backtrace_id in waiting:
            if backtrace_id not in self._fed:
                self._queue.backtrace(backtrace_id)
        self._fed = set(waiting)

    def mend(self) -> None:
        """Let those begin anew whose workflow has ended without them; clear what others left."""
        waiting = self._waiting()
        if waiting:
            forget_ended([trace_id(backtrace_id) for backtrace_id in waiting])
            self._fed.clear()
        here = self._parts.spool / _FOLDER
        for path in here.iterdir() if here.is_dir() else ():
            if path.name not in waiting:
                shutil.rmtree(path, ignore_errors=True)

    def _waiting(self) -> list[str]:
        with self._parts.database.read() as connection:
            return read_backtraces.waiting(connection)


def _trace(parts: WorkParts, backtrace_id: str) -> None:
    with parts.database.write() as connection:
        record = write_backtraces.begin(connection, backtrace_id, now_ms())
    if record is None:
        return
    folder = parts.spool / _FOLDER / backtrace_id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        leak = _leak(parts, record)
        path = bring_input(folder, parts.store, leak.blob_key or "")
        told = _Told(parts, backtrace_id)
        document = trace_leak(parts, path, leak.name, _masters(parts, record), folder, told)
        _keep(parts, backtrace_id, document)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _leak(parts: WorkParts, record: BacktraceRecord) -> FileRecord:
    """Find the leak, and wait for it if it is an upload that is just being finished."""
    deadline = monotonic() + INGEST_SECONDS
    while monotonic() < deadline:
        with parts.database.read() as connection:
            found = read_files.file_to_use(connection, record.user_id, record.file_id)
            awaited = read_uploads.awaited_file_ids(connection, [record.file_id])
        if found is not None and found.blob_key:
            return found
        if not awaited:
            break
        sleep(LOOK_SECONDS)
    raise BacktraceInputMissingError


def _masters(parts: WorkParts, record: BacktraceRecord) -> list[FileRecord]:
    with parts.database.read() as connection:
        found = read_autograph.masters(connection, record.user_id, now_ms())
    return [
        one
        for one in found
        if record.wanted_master_id in {None, one.id} and record.job_id in {None, one.job_id}
    ]


class _Told:
    """Tells the catalog how far the trace is; learns from it that nobody wants it any more."""

    def __init__(self, parts: WorkParts, backtrace_id: str) -> None:
        self._parts = parts
        self._id = backtrace_id
        self._next = 0.0

    def __call__(self, part: float) -> None:
        if monotonic() < self._next:
            return
        self._next = monotonic() + TOLD_SECONDS
        with self._parts.database.write() as connection:
            wanted = write_backtraces.report(connection, self._id, int(part * 99), now_ms())
        if not wanted:
            raise NotWantedError


def _keep(parts: WorkParts, backtrace_id: str, document: TraceDocument) -> None:
    forms = {"json": msgspec.json.encode(document), "html": render(document).encode()}
    for form, data in forms.items():
        asyncio.run(parts.store.put(report_key(backtrace_id, form), _once(data)))
    values = {
        "master_id": document.report.master,
        "finding": msgspec.to_builtins(in_short(document.report)),
        "json_size": len(forms["json"]),
        "html_size": len(forms["html"]),
    }
    tags = [one.tag for one in document.report.accused]
    with parts.database.write() as connection:
        if not write_backtraces.succeed(connection, backtrace_id, tags, values, now_ms()):
            raise NotWantedError
    log.info("backtrace ended", backtrace=backtrace_id, verdict=document.report.status)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _passing(error: BaseException) -> bool:
    return not isinstance(error, PublicError | NotWantedError)
