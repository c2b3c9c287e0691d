"""The worker process: runs workflows from the queue, and prunes in between."""

import socket
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog
from dbos import DBOS, DBOSConfig

from countermark.catalog.readers import uploads as read_uploads
from countermark.work.accounting import fold_traffic, forget_traffic
from countermark.work.backtraces import BacktraceFeed, define_backtraces
from countermark.work.ingest import define_ingest
from countermark.work.job_queue import (
    JobQueue,
    Watch,
    clear_workspaces,
    end_overdue,
    mend,
)
from countermark.work.jobs import define_jobs
from countermark.work.lists import ListKeeper
from countermark.work.notify import notify
from countermark.work.parts import (
    APPLICATION,
    BACKTRACE_QUEUE,
    INGEST_QUEUE,
    WorkParts,
    now_ms,
)
from countermark.work.prune import prune_ended, prune_orphans, sweep_unfinished
from countermark.work.queue import ENDED_STATES, WorkQueue, forget_ended, ingest_id

log = structlog.get_logger()

# Workflows of an unknown version are never resumed, so the version names the steps' order and
# their data, not the release.
WORKFLOW_VERSION = "1"
QUEUE_POLL_SECONDS = 0.1
FEED_SECONDS = 0.1
BEATS = 6  # so often a worker shows that it lives in the time after which it is given up
ENDED_SECONDS = 1.0
FOLD_SECONDS = 1.0
LISTS_SECONDS = 10.0
NUDGE_SECONDS = 30.0
ORPHANS_SECONDS = 3600.0
FORGET_BATCH = 500


def run_worker(parts: WorkParts, system_database_url: str, stop: threading.Event) -> None:
    """Work until `stop` is set; a step under way is given up and resumed at the next start.

    Args:
        parts: what the workflows touch; a restart under the same name resumes its work.
        system_database_url: DBOS's own database.
        stop: set by a signal handler.
    """
    DBOS(config=_config(system_database_url, parts.worker))
    define_ingest(parts)
    define_backtraces(parts)
    jobs = JobQueue(parts, define_jobs(parts))
    watch = Watch(parts, socket.gethostname())
    watch.beat()
    DBOS.launch()
    DBOS.register_queue(INGEST_QUEUE, worker_concurrency=2, polling_interval_sec=QUEUE_POLL_SECONDS)
    # A trace uses all cores itself.
    DBOS.register_queue(
        BACKTRACE_QUEUE, worker_concurrency=1, polling_interval_sec=QUEUE_POLL_SECONDS
    )
    queue = WorkQueue(system_database_url)
    try:
        _start_others(parts, jobs, watch, stop)
        _housekeeping(parts, queue, stop)
    finally:
        queue.close()
        DBOS.destroy(workflow_completion_timeout_sec=5)


def _config(system_database_url: str, executor_id: str) -> DBOSConfig:
    return {
        "name": APPLICATION,
        "system_database_url": system_database_url,
        "application_version": WORKFLOW_VERSION,
        "executor_id": executor_id,
        "log_level": "WARNING",
    }


def _housekeeping(parts: WorkParts, queue: WorkQueue, stop: threading.Event) -> None:
    traces = BacktraceFeed(parts, queue)
    chores = [
        Chore("feed backtraces", ENDED_SECONDS, traces.feed),
        Chore("mend backtraces", NUDGE_SECONDS, traces.mend),
        Chore("prune ended", ENDED_SECONDS, lambda: prune_ended(parts)),
        Chore("fold traffic", FOLD_SECONDS, lambda: _fold(parts)),
        Chore("nudge uploads", NUDGE_SECONDS, lambda: _nudge(parts, queue)),
        Chore("end overdue jobs", ENDED_SECONDS, lambda: end_overdue(parts)),
        Chore("mend jobs", NUDGE_SECONDS, lambda: mend(parts)),
        Chore("clear workspaces", NUDGE_SECONDS, lambda: clear_workspaces(parts)),
        Chore("sweep unfinished writes", NUDGE_SECONDS, lambda: sweep_unfinished(parts)),
        Chore("prune orphans", ORPHANS_SECONDS, lambda: prune_orphans(parts)),
        Chore("forget traffic", ORPHANS_SECONDS, lambda: forget_traffic(parts.database, now_ms())),
        Chore("forget workflows", ORPHANS_SECONDS, _forget_workflows),
    ]
    _do(chores, parts, stop)


def _start_others(parts: WorkParts, jobs: JobQueue, watch: Watch, stop: threading.Event) -> None:
    """Threads of their own for what must not wait for the rest, or may hold it up."""
    keeper = ListKeeper(parts.database, parts.store, parts.spool)
    others = {
        "jobs": [Chore("feed jobs", 0.0, jobs.feed)],
        "watch": [
            Chore("beat", parts.dead_after / BEATS, watch.beat),
            Chore("take over", parts.dead_after / BEATS, watch.take_over),
        ],
        # Somebody else's server may be slow.
        "notify": [Chore("notify", ENDED_SECONDS, lambda: notify(parts))],
        "lists": [Chore("renew address lists", LISTS_SECONDS, keeper.refresh_due)],
    }
    for name, chores in others.items():
        pause = FEED_SECONDS if name == "jobs" else ENDED_SECONDS / 2
        arguments = (chores, parts, stop, pause)
        threading.Thread(target=_do, args=arguments, name=name, daemon=True).start()


def _do(
    chores: Sequence["Chore"],
    parts: WorkParts,
    stop: threading.Event,
    pause: float = ENDED_SECONDS / 2,
) -> None:
    while not stop.wait(pause):
        for chore in chores:
            if not chore.run_if_due():
                parts.metrics.failures.labels(chore.name).inc()


def _fold(parts: WorkParts) -> None:
    parts.metrics.downloads.inc(fold_traffic(parts.database, now_ms()))


def _nudge(parts: WorkParts, queue: WorkQueue) -> None:
    """Enqueue every upload that waits for its ingest; one under way is left as it is."""
    with parts.database.read() as connection:
        waiting = [upload.id for upload in read_uploads.completing(connection)]
    if waiting:
        forget_ended([ingest_id(upload_id) for upload_id in waiting])
    for upload_id in waiting:
        queue.ingest(upload_id)


def _forget_workflows() -> None:
    """Delete the checkpoints of workflows that ended more than a day ago."""
    before = datetime.now(UTC) - timedelta(days=1)
    while ended := DBOS.list_workflows(
        status=ENDED_STATES,
        completed_before=before.isoformat(),
        limit=FORGET_BATCH,
        load_input=False,
        load_output=False,
    ):
        DBOS.delete_workflows([workflow.workflow_id for workflow in ended])


class Chore:
    """Something to be done every so often; a failure is logged and does not stop the rest."""

    def __init__(self, name: str, every_seconds: float, work: Callable[[], None]) -> None:
        self.name = name
        self._every = every_seconds
        self._work = work
        self._due = monotonic()

    def run_if_due(self) -> bool:
        """Run when the time has come; the next time counts from the end of this run.

        Returns:
            Whether nothing failed.
        """
        if monotonic() < self._due:
            return True
        try:
            self._work()
        except Exception:
            log.exception("chore failed", chore=self.name)
            return False
        else:
            return True
        finally:
            self._due = monotonic() + self._every
